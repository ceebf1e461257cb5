# `smtpy` is the image of every process of SMTPy, and `postfix` the same with Postfix in it; `rspamd` is Debian's, set up.
#   docker build --target smtpy -t smtpy .        docker build --target postfix -t smtpy-postfix .

FROM debian:bookworm-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3-venv python3-dev gcc libc6-dev libmilter-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY requirements/build.txt requirements/run.txt requirements/
RUN python3 -m venv /opt/smtpy \
    && /opt/smtpy/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt \
    && /opt/smtpy/bin/pip install --no-cache-dir --require-hashes --no-build-isolation -r requirements/run.txt
COPY . .
RUN /opt/smtpy/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM debian:bookworm-slim AS smtpy
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 libmilter1.0.1 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 smtpy \
    && useradd --uid 10001 --gid smtpy --no-create-home --home-dir /var/lib/smtpy smtpy \
    && install -d -o smtpy -g smtpy -m 755 /run/smtpy \
    && install -d -o smtpy -g smtpy -m 750 /etc/smtpy /var/lib/smtpy /var/backups/smtpy
COPY --from=build /opt/smtpy /opt/smtpy
ENV PATH=/opt/smtpy/bin:$PATH PYTHONUNBUFFERED=1
USER smtpy
STOPSIGNAL SIGTERM
ENTRYPOINT ["smtpy"]
CMD ["--help"]

FROM debian:bookworm-slim AS rspamd
RUN apt-get update \
    && apt-get install -y --no-install-recommends rspamd ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && printf 'type = "console";\nlevel = "notice";\n' >/etc/rspamd/local.d/logging.inc \
    && install -d -o _rspamd -g _rspamd -m 755 /run/rspamd /var/lib/rspamd
COPY postfix/rspamd /etc/rspamd/local.d
USER _rspamd
ENTRYPOINT ["rspamd", "--no-fork"]
CMD []

FROM smtpy AS postfix
USER root
# No main.cf of Debian's making: the only configuration is the one that postfix/instance writes.
RUN apt-get update \
    && echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postfix ca-certificates openssl \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -m 755 /var/spool/smtpy
COPY postfix /usr/local/share/smtpy/postfix
EXPOSE 25
ENTRYPOINT ["/usr/local/share/smtpy/postfix/serve"]
CMD []
