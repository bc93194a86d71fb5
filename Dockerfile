# syntax=docker/dockerfile:1

FROM rust:1.95-bookworm AS build
WORKDIR /build
# Dependencies first, with empty sources in place of the program's: this layer is built anew when they change, not when
# the program does.
COPY Cargo.toml Cargo.lock ./
COPY core/Cargo.toml core/Cargo.toml
COPY benches/Cargo.toml benches/Cargo.toml
RUN mkdir -p src core/src \
 && touch src/lib.rs core/src/lib.rs \
 && echo 'fn main() {}' > src/main.rs \
 && cargo build --profile dist --locked --bin glassine
COPY core core
COPY src src
COPY rules rules
# Copied files keep their times, which may be older than those of the empty ones.
RUN touch core/src/lib.rs src/lib.rs src/main.rs \
 && cargo build --profile dist --locked --bin glassine \
 && strip target/dist/glassine

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 65532 glassine \
 && useradd --uid 65532 --gid 65532 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin glassine \
 && install --directory --owner=65532 --group=65532 --mode=0700 /var/lib/glassine \
 && install --directory --mode=0755 /etc/glassine
COPY --from=build /build/target/dist/glassine /usr/local/bin/glassine
COPY rules /etc/glassine/rules
USER 65532:65532
# The audit log; nothing else is written.
VOLUME /var/lib/glassine
EXPOSE 8443
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["glassine", "health", "--admin", "127.0.0.1:9901"]
ENTRYPOINT ["glassine"]
CMD ["serve", "--config", "/etc/glassine/config.yaml"]
