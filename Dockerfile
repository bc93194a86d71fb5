# The image holds the program, the libraries that it is linked with, root certificates, time zones and the shipped rules. It has no
# shell and no package manager. docs/OPERATIONS.md says how to run it, docs/RELEASING.md how a release is built.

# What the program is built with, and the system whose C library the image has. A release replaces these tags by digests, from
# release/bases.
ARG RUST_IMAGE=rust:1.95-bookworm
ARG DEBIAN_IMAGE=debian:bookworm-slim

# Of the architecture that the image is for: `docker build --platform linux/arm64`. Nothing in it is run.
FROM ${DEBIAN_IMAGE} AS system

# Of the architecture that the machine has. BuildKit says which. To the classic builder, which can build for no other, `linux` means it.
FROM --platform=${BUILDPLATFORM:-linux} ${RUST_IMAGE} AS build
# Writes the list of dependencies into the program. Scanners read it there.
RUN cargo install --quiet --locked --root /usr/local --version 0.7.7 cargo-auditable
WORKDIR /build
COPY --from=system / /system
COPY deploy/image/toolchain deploy/image/toolchain
RUN deploy/image/toolchain
# The program's bytes must not depend on folders or times.
ENV SOURCE_DATE_EPOCH=0 \
    RUSTFLAGS="--remap-path-prefix=/build=/glassine --remap-path-prefix=/usr/local/cargo/registry/src=/crates"
# Dependencies first, with empty sources in place of the program's: this layer is built anew when they change, not when
# the program does.
COPY Cargo.toml Cargo.lock ./
COPY core/Cargo.toml core/Cargo.toml
COPY benches/Cargo.toml benches/Cargo.toml
RUN mkdir -p src core/src \
 && touch src/lib.rs core/src/lib.rs \
 && echo 'fn main() {}' > src/main.rs \
 && cargo auditable build --profile dist --locked --bin glassine
COPY core core
COPY src src
COPY rules rules
# Copied files keep their times, which may be older than those of the empty ones.
RUN touch core/src/lib.rs src/lib.rs src/main.rs \
 && cargo auditable build --profile dist --locked --bin glassine
COPY LICENSE THIRD-PARTY-LICENSES.txt ./
COPY deploy/image deploy/image
RUN deploy/image/assemble /image

FROM scratch
COPY --from=build /image/root /
# The audit log and the state of connections. Nothing else is written.
COPY --from=build --chown=65532:65532 /image/state /var/lib/
ENV PATH=/usr/local/bin
USER 65532:65532
VOLUME /var/lib/glassine
EXPOSE 8443
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/usr/local/bin/glassine", "health", "--admin", "127.0.0.1:9901"]
ENTRYPOINT ["/usr/local/bin/glassine"]
CMD ["serve", "--config", "/etc/glassine/config.yaml"]
# A release names its commit. Last, because a new value must not build anything anew.
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Glassine" \
      org.opencontainers.image.description="A reverse proxy that hands an analytics consumer sanitized Microsoft Graph metadata, and nothing else." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
