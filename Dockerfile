# `npm run serve` as an image: the function on a plain Node server, without build tools and not as root.
# The version is pinned; docs/own-server.md says how to pin its digest as well.
FROM node:24.21.0-bookworm-slim

ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No script of a package runs: none of these packages needs one.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm cache clean --force
COPY lib ./lib
COPY scripts/serve.ts scripts/serving.ts scripts/host.ts scripts/dotenv.ts scripts/language.ts scripts/problems.ts ./scripts/
COPY scripts/words ./scripts/words
COPY scripts/doctor/sentences/line.ts scripts/doctor/sentences/expected-zh-CN.ts ./scripts/doctor/sentences/

EXPOSE 3000
USER node
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/api/dingtalk`).then((r)=>process.exit(r.ok?0:1),()=>process.exit(1))"]
# Node is the process that gets the signal. It finishes what runs for at most 20 s: give it 25.
STOPSIGNAL SIGTERM
CMD ["node", "scripts/serve.ts"]
