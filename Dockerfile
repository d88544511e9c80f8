# A static binary and nothing else. `tests/image` builds and runs this on a machine without a registry.
#
#   docker build --build-arg MEMLEAK_VERSION=0.1.0 --build-arg MEMLEAK_REVISION="$(git rev-parse HEAD)" -t memleak-exporter .
#
# It is built for the platform that it is built on, x86_64 or aarch64.
ARG RUST_IMAGE=docker.io/library/rust:1.95-slim-bookworm

FROM ${RUST_IMAGE} AS build
WORKDIR /build
# The C library goes into the binary, too. With a target named below, build scripts and macros are left as they are.
ENV RUSTFLAGS="-C target-feature=+crt-static"

# First the dependencies, with a program that does nothing: a layer that lasts until they change. Targets other than
# the library and the program are cut off, for their files are not in here.
COPY Cargo.toml Cargo.lock ./
RUN sed -i '/^\[\[/,/^$/d' Cargo.toml \
    && mkdir src && echo 'fn main() {}' >src/main.rs && touch src/lib.rs \
    && cargo build --release --locked --target "$(rustc --print host-tuple)"

COPY src src
ARG MEMLEAK_REVISION=unknown
RUN touch src/main.rs src/lib.rs \
    && MEMLEAK_REVISION="$MEMLEAK_REVISION" cargo build --release --locked --target "$(rustc --print host-tuple)" \
    && install "target/$(rustc --print host-tuple)/release/memleak-exporter" /memleak-exporter \
    && mkdir /state

FROM scratch
ARG MEMLEAK_VERSION=unknown
ARG MEMLEAK_REVISION=unknown
LABEL org.opencontainers.image.title="memleak-exporter" \
      org.opencontainers.image.description="Prometheus exporter that says which program leaks memory, how sure it is, and why" \
      org.opencontainers.image.source="https://github.com/memleak-exporter/memleak-exporter" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${MEMLEAK_VERSION}" \
      org.opencontainers.image.revision="${MEMLEAK_REVISION}"
COPY --from=build /memleak-exporter /memleak-exporter
# For a volume, which takes over whose it is: --state.file=/var/lib/memleak-exporter/state.
COPY --from=build --chown=65534:65534 /state /var/lib/memleak-exporter
# Nobody, by number: there is no /etc/passwd in here.
USER 65534:65534
EXPOSE 10054
ENTRYPOINT ["/memleak-exporter"]
