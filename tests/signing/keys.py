"""Keys for tests, which the whole world has: RSA of RFC 6376 appendix C, Ed25519 of RFC 8463 appendix A.

`ZONE` publishes them under every name the tests sign with.
"""

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from smtpy.signing import key
from tests.dns import Zone

RSA = base64.b64decode(
    "MIICXQIBAAKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ"
    "/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQABAoGAH0cx"
    "OhFZDgzXWhDhnAJDw5s4roOXN4OhjiXa8W7Y3rhX3FJqmJSPuC8N9vQm6SVbaLAE4SG5mLMueHlh4KXffEpuLEiNp9Ss3O4YfLiQ"
    "pbRqE7Tm5SxKjvvQoZZezHorimOaChRL2it47iuWxzxSiRMv4c+j70GiWdxXnxe4UoECQQDzJB/0U58W7RZy6enGVj2kWF732CoW"
    "FZWzi1FicudrBFoy63QwcowpoCazKtvZGMNlPWnC7x/6o8GcuSe0ga2xAkEA8C7PipPm1/1fTRQvj1o/dDmZp243044ZNyxjg+/O"
    "PN0oWCbXIGxyWvmZbXriOWoSALJTjExEgraHEgnXssuk7QJBALl5ICsYMu6hMxO73gnfNayNgPxdWFV6Z7ULnKyV7HSVYF0hgYOH"
    "jeYe9gaMtiJYoo0zGN+L3AAtNP9huqkWlzECQE1alicIeVlo1e+qJ6Mgqr0Q7Aa7falZ448ccbSFYEPD6oFxiOl9Y9se9iYHZKKf"
    "Icsto7DUw1/hz2Ck4N5JrgUCQQCyKveNvjzkkd8HjYs0SwM0fPjK16//5qDZ2UiDGnOeuEzxBDAr518Z8VFbR41in3W4Y3yCDgQl"
    "LlcETrS+zYcL"
)
ED25519_SEED = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
ED25519 = Ed25519PrivateKey.from_private_bytes(base64.b64decode(ED25519_SEED)).private_bytes(
    Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
)
RSA_RECORD = key.record_of("rsa-sha256", key.public_of(RSA))
ED25519_RECORD = key.record_of("ed25519-sha256", key.public_of(ED25519))

RECORDS = {
    "test._domainkey.football.example.com": {"TXT": [RSA_RECORD]},
    "brisbane._domainkey.football.example.com": {"TXT": [ED25519_RECORD]},
    "test._domainkey.sender.example": {"TXT": [RSA_RECORD]},
    "brisbane._domainkey.sender.example": {"TXT": [ED25519_RECORD]},
    "arc._domainkey.relay.example": {"TXT": [RSA_RECORD]},
    "arc._domainkey.list.example": {"TXT": [RSA_RECORD]},
    "r._domainkey.a.example": {"TXT": [RSA_RECORD]},
    "e._domainkey.a.example": {"TXT": [ED25519_RECORD]},
}
ZONE = Zone(RECORDS)

BY_RSA = key.load(RSA, "rsa-sha256", "a.example", "r")
BY_ED25519 = key.load(ED25519, "ed25519-sha256", "a.example", "e")
SIGNERS = (BY_RSA, BY_ED25519)
