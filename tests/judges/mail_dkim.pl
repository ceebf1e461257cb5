# What Perl's Mail::DKIM says of messages: file names in, JSON out.
use strict;
use warnings;
use JSON::PP;
use Mail::DKIM::ARC::Verifier;
use Mail::DKIM::Verifier;

# Ed25519 is younger than this.
sub result {
    my ($signature) = @_;
    return $signature->result_detail =~ /unsupported algorithm/ ? 'unknown' : $signature->result;
}

sub read_into {
    my ( $verifier, $text ) = @_;
    $verifier->PRINT($text);
    $verifier->CLOSE;
    return $verifier;
}

my @all;
for my $file (@ARGV) {
    open my $in, '<:raw', $file or die "$file: $!";
    my $text = do { local $/; <$in> };
    my $dkim = read_into( Mail::DKIM::Verifier->new, $text );
    my $arc  = read_into( Mail::DKIM::ARC::Verifier->new( Strict => 1 ), $text );
    push @all, {
        dkim => [ map { [ $_->domain, $_->selector, result($_), $_->result_detail ] } $dkim->signatures ],
        arc  => [ $arc->result, $arc->result_detail ],
    };
}
print encode_json( \@all );
