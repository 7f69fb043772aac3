# Production image: Debian trixie has the glibc that the upstream uWebSockets.js release needs.
FROM node:24-trixie-slim AS build
WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends git ca-certificates && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json ./
COPY client/package.json ./client/
RUN npm ci --ignore-scripts
COPY . .
# The workspace's link would lead nowhere in the image: the client is in dist.
RUN npx tsc -b && npm prune --omit=dev --ignore-scripts
# The upstream release in place of the re-upload that package.json names for older systems; last, because npm's own tidying takes it back.
RUN npm install --no-save --omit=dev --ignore-scripts "uWebSockets.js@github:uNetworking/uWebSockets.js#v20.52.0" \
  && node scripts/prune-binaries.mjs \
  && rm -rf node_modules/@treasure-hunt-engine

FROM node:24-trixie-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/proto ./proto
COPY --from=build /app/src/examples ./src/examples
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8700 8123
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=2s --start-period=30s CMD ["node", "-e", "fetch('http://127.0.0.1:8700/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# On all addresses it starts with a key only: -e HUNT_KEY=…, or -e HUNT_KEY_FILE=/run/secrets/… (docs/security.md).
ENTRYPOINT ["node", "dist/src/main.js"]
CMD ["serve", "--data", "/data", "--listen", "0.0.0.0:8700", "--clickhouse-listen", "0.0.0.0:8123"]
