/**
 * Sends forty emails of interleaved requests of two tenants through each pattern, twice: as it is, and in
 * `capturePostmark`. What the sandbox received must be what outcomes.json says, from which docs/context.md is made.
 * `node test.mjs --update` writes outcomes.json.
 */
import { deepEqual } from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { capturePostmark, createPostmarkTransport, runWithPostmark } from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import { libraryPatterns } from './library-patterns.mjs'
import { nodePatterns } from './node-patterns.mjs'

const REQUESTS = 40
const OUTCOMES = new URL('outcomes.json', import.meta.url)

// compat/run.mjs names it: packages/testing starts real servers, and is not published.
if (!process.env.POSTMARK_SMTP_TESTING) throw new Error('Run `node compat/run.mjs context-zoo`.')
const { postgresMissing, redisMissing, startPostgres, startRedis } = await import(
  process.env.POSTMARK_SMTP_TESTING
)
const missing = [postgresMissing(), redisMissing()].filter(Boolean)
if (missing.length > 0) {
  if (process.env.REQUIRE_REAL_PARTS === '1') throw new Error(missing.join('\n'))
  console.warn(`Skipped: ${missing.join(' ')}`)
  process.exit()
}

const redis = await startRedis()
const postgres = await startPostgres()
const sandbox = await startSandbox()
const transporter = createPostmarkTransport(sandbox.url)
const servers = { redis: redis.path, postgres: postgres.connectionString, inScope }

const tenantOf = (n) => (n % 2 === 0 ? 'acme' : 'umbrella')
let captures = false

/** Runs the work of a request in its scope; what it sends, it sends by the function that it gets. */
function inScope(n, work) {
  return runWithPostmark({ tag: tenantOf(n), metadata: { request: n } }, () => {
    const reenter = captures ? capturePostmark() : (fn) => fn()
    const mail = { from: 'shop@example.com', to: 'ann@example.com', subject: String(n), text: 'Hi' }
    return work(() => reenter(() => transporter.sendMail(mail)))
  })
}

/** Uses a pattern in forty requests at a time, and says what their emails carried. */
async function measure(open) {
  sandbox.clear()
  const pattern = await open(servers)
  const { use = pattern, visit, close } = pattern
  const request = visit ?? ((n) => inScope(n, use))
  const requests = Array.from({ length: REQUESTS }, async (_, n) => {
    for (let turns = n % 4; turns > 0; turns--) await turn()
    await request(n)
  })
  await Promise.all(requests)
  await close?.()
  const counts = { kept: 0, lost: 0, mixed: 0 }
  for (const { subject, postmark } of sandbox.outbox) {
    const { tag, metadata } = postmark
    if (tag === tenantOf(Number(subject)) && metadata?.request === subject) counts.kept++
    else counts[tag === undefined ? 'lost' : 'mixed']++
  }
  return counts
}

function outcomeOf({ kept, lost, mixed }) {
  if (kept + lost + mixed !== REQUESTS) return 'missing'
  if (mixed > 0) return 'mixed'
  return lost > 0 ? 'lost' : 'kept'
}

const measured = {}
for (const [title, open] of Object.entries({ ...nodePatterns, ...libraryPatterns })) {
  const row = {}
  for (const column of ['alone', 'captured']) {
    captures = column === 'captured'
    const counts = await measure(open)
    row[column] = outcomeOf(counts)
    console.log(`${title}${captures ? ', captured' : ''}: ${JSON.stringify(counts)}`)
  }
  measured[title] = row
}
await transporter.close()
await sandbox.close()
await postgres.close()
await redis.close()

if (process.argv.includes('--update')) writeFileSync(OUTCOMES, `${JSON.stringify(measured, undefined, 2)}\n`)
else deepEqual(measured, JSON.parse(readFileSync(OUTCOMES, 'utf8')))
