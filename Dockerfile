# The server's image: `arcan` for uid 1000, on a read-only root.
#
#   docker build --tag ghcr.io/OWNER/arcan:TAG .
#
# Another base, by digest: --build-arg PYTHON_IMAGE=registry.example.com/python:3.14-slim@sha256:...
ARG PYTHON_IMAGE=docker.io/library/python:3.14-slim-trixie@sha256:51dafde81dbdb6ebde285137a295cf18a47ca95234fe388a343719cb97305b3d

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY requirements.lock requirements-build.lock pyproject.toml README.md LICENSE ./
COPY scripts/install_root.py scripts/
COPY arcan_gitops arcan_gitops
RUN ["python", "scripts/install_root.py", "/opt/arcan"]

FROM ${PYTHON_IMAGE}
COPY --from=build /opt/arcan /opt/arcan
ENV PATH=/opt/arcan/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 1000:1000
WORKDIR /
EXPOSE 9797
ENTRYPOINT ["/opt/arcan/bin/arcan"]
CMD ["--help"]
