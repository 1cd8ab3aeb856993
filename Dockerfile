# A release gives the digest too, so that it can be built again from the same bytes (see CONTRIBUTING.md).
ARG BASE_IMAGE=python:3.12-slim

# Locked versions with their hashes go into an environment of their own; nothing that builds comes along.
FROM ${BASE_IMAGE} AS build
WORKDIR /app
COPY requirements/bot.txt requirements/bot.txt
# The base's pip fills it, so that it needs none of its own.
RUN python -m venv --without-pip /venv \
    && python -m pip --python /venv/bin/python install --no-cache-dir --no-compile --disable-pip-version-check \
        --require-hashes -r requirements/bot.txt
# What the bot never reads is left out: 29 MB of Babel's languages (it speaks six, pt_BR stands on pt, and all stand
# on root), 10 MB of fonts, and 8 MB of pygments, which rich needs for nothing but program text.
RUN find /venv/lib/python3*/site-packages/babel/locale-data -name '*.dat' ! -name root.dat \
        ! -name en.dat ! -name de.dat ! -name fr.dat ! -name es.dat ! -name pt.dat ! -name pt_BR.dat ! -name ja.dat -delete \
    && find /venv/lib/python3*/site-packages/font_source_sans_pro/files -name '*.?tf' \
        ! -name '*-Regular.ttf' ! -name '*-Semibold.ttf' -delete \
    && rm /venv/lib/python3*/site-packages/pylopdf_fonts_jp/NotoSerifJP-Regular.otf \
    && python -m pip --python /venv/bin/python uninstall --quiet --yes --disable-pip-version-check pygments \
    && python -m compileall -q -o 2 /venv/lib
# What is in the image, and under which licences, as it is installed here.
COPY deploy/notice.py notice.py
RUN /venv/bin/python notice.py > NOTICE

FROM ${BASE_IMAGE}
ARG BASE_IMAGE
LABEL org.opencontainers.image.base.name="${BASE_IMAGE}" \
    org.opencontainers.image.licenses="MIT AND LicenseRef-NOTICE"
# A number, so that a host that forbids root can see that this is not root.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin studii \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=build /venv /venv
COPY --from=build /app/NOTICE /app/NOTICE
COPY LICENSE pyproject.toml /app/
COPY migrations /app/migrations
COPY bot /app/bot
COPY cogs /app/cogs
# Nothing can be written later, so each start and each health check would compile it again. So they would Python's own
# modules, which no image has compiled without docstrings: those that the bot uses are when they are imported here.
# For 4 MB, a start takes a third less of the processor's time, and a health check two thirds.
RUN python -m compileall -q -o 2 /app \
    && PYTHONOPTIMIZE=2 PYTHONPATH=/app /venv/bin/python -c "import bot.app, bot.cli, bot.media.decoder.serve"
# PYTHONOPTIMIZE=2 leaves out docstrings, which take 6 MiB.
# Runs in /, so that data/, where everything is kept unless a setting says otherwise, is the volume.
WORKDIR /
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONOPTIMIZE=2 \
    HEALTH_PORT=8080 \
    HEALTH_ADDRESS=0.0.0.0 \
    LOG_FORMAT=json
USER 10001
VOLUME /data
EXPOSE 8080
# Asks the bot itself: connected to Discord, able to write its database, and not late with any job.
HEALTHCHECK --interval=60s --timeout=20s --start-period=90s --retries=3 CMD ["python", "-m", "bot", "health"]
# Exec form: the bot is process 1 and receives SIGTERM. It lets requests in progress finish, for up to 8 s.
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
