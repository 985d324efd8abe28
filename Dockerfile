# `npm run serve` as an image: the function on a plain Node server, without build tools and not as root.
FROM node:24-slim

WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && npm cache clean --force
COPY lib ./lib
COPY scripts/serve.ts scripts/host.ts scripts/dotenv.ts ./scripts/

ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
EXPOSE 3000
USER node
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s \
  CMD node -e "fetch('http://127.0.0.1:'+process.env.PORT+'/api/dingtalk').then((r)=>process.exit(r.ok?0:1),()=>process.exit(1))"
# At SIGTERM it finishes what runs for at most 20 s: give it 25.
STOPSIGNAL SIGTERM
CMD ["node", "scripts/serve.ts"]
