import { appendFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ServerClient } from 'postmark'
import { createViteServer } from 'vitest/node'

// Reads bounces up to the end of the list, or stops after the last one that it should handle, and waits to be killed. It loads the sources as the tests do, without a build.
const [requestHost, token, file, cursor, streams, most] = process.argv.slice(2)
const core = fileURLToPath(new URL('../../core/src/', import.meta.url))
const vite = await createViteServer({
  configFile: false,
  logLevel: 'error',
  appType: 'custom',
  server: { middlewareMode: true, ws: false, watch: null },
  resolve: {
    alias: [
      { find: /^@postmark-smtp\/core$/, replacement: `${core}index.ts` },
      { find: /^@postmark-smtp\/core\/([\w-]+)$/, replacement: `${core}$1.ts` },
    ],
  },
})
const { reconcile } = await vite.ssrLoadModule(fileURLToPath(new URL('./index.ts', import.meta.url)))

const client = new ServerClient(token, { requestHost, useHttps: false })
const run = reconcile(client, { streams: streams.split(','), settleMs: 0, cursor: JSON.parse(cursor) })
let left = Number(most)
for await (const { raw, messageStream, at, errorCode, correlationId } of run) {
  // One write for the event and its cursor, as in one transaction of a database.
  const line = { id: raw.ID, stream: messageStream, at, errorCode, correlationId, cursor: run.cursor }
  appendFileSync(file, `${JSON.stringify(line)}\n`)
  left -= 1
  if (left > 0) continue
  process.send('waits')
  await new Promise(() => {})
}
await vite.close()
process.disconnect()
