import { deepEqual, equal } from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { startSandbox } from '@postmark-smtp/sandbox'
import { findLost } from './lost.mjs'

// docs/frameworks.md has the applications; compat/run.mjs writes them here. Each exports a listener of Node's server.
const FRAMEWORKS = ['http', 'koa', 'h3', 'trpc', 'yoga']
const REQUESTS = 50

const sandbox = await startSandbox()
process.env.POSTMARK_URL = sandbox.url

/** How a name is signed up; the others take it in the URL of a POST. */
const requests = {
  trpc: (name) => ['/signup', { name }],
  yoga: (name) => ['/graphql', { query: `mutation { signup(name: "${name}") }` }],
}

async function test(framework) {
  const { listener } = await import(`./out/${framework}.js`)
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const names = Array.from({ length: REQUESTS }, (_, index) => `${framework}-${index}`)
  const answers = names.map(async (name) => {
    const [path, body = {}] = requests[framework]?.(name) ?? [`/signup?name=${name}`]
    const headers = { 'content-type': 'application/json', 'x-tenant': name }
    const url = `http://127.0.0.1:${server.address().port}${path}`
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    equal(response.status, 200, `${framework}: ${await response.text()}`)
  })
  await Promise.all(answers)
  server.close()
  server.closeAllConnections()
  const seen = sandbox.outbox.map(({ subject, postmark }) => [subject, postmark])
  const wanted = names.map((name) => [`Hello ${name}`, { tag: 'signup', metadata: { tenant: name } }])
  const bySubject = ([one], [other]) => one.localeCompare(other)
  deepEqual(seen.toSorted(bySubject), wanted.toSorted(bySubject))
  sandbox.clear()
}

for (const framework of FRAMEWORKS) await test(framework)
deepEqual(await findLost(), {
  'http: req.on(end)': 'lost',
  'http: after await': 'kept',
  'koa: app.on(error)': 'lost',
  'h3: onResponse': 'lost',
  'h3: onError': 'lost',
  'h3: onResponse() as a middleware': 'kept',
  'h3: onError() as a middleware': 'kept',
  'trpc: onError': 'lost',
  'trpc: responseMeta': 'lost',
})
await sandbox.close()
// The transporters of the snippets stay open, as in an application that runs.
process.exit(0)
