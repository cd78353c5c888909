# One image for every service and for the `afterword` command. Nothing in it is written at run time.

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /build
COPY requirements/bootstrap.txt requirements/runtime.txt ./
RUN pip install --no-cache-dir --require-hashes -r bootstrap.txt \
    && uv venv --no-cache /opt/venv \
    && uv pip install --no-cache --python /opt/venv/bin/python --require-hashes --compile-bytecode -r runtime.txt
COPY services /app/services
COPY shared /app/shared
COPY programmes /app/programmes
RUN python -m compileall -q /app \
    && printf '#!/opt/venv/bin/python\nfrom services.cli.main import app\n\napp()\n' > /opt/venv/bin/afterword \
    && chmod 0755 /opt/venv/bin/afterword

FROM python:3.11.14-slim-bookworm
LABEL org.opencontainers.image.title="afterword" \
      org.opencontainers.image.description="Event-driven transactional surveys that close the loop within 24 hours"
RUN groupadd --system --gid 10001 afterword \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin afterword
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1
WORKDIR /app
USER 10001:10001
EXPOSE 8000
# Alive, not ready: an orchestrator that restarts a service because Kafka is away would only add to the trouble.
HEALTHCHECK --interval=10s --timeout=4s --start-period=40s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=3)"]
CMD ["afterword", "--help"]
