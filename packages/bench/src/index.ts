import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { toChart } from './chart.js'
import { withFigures } from './document.js'
import { measureHeaders } from './headers.js'
import { measureInbox } from './inbox.js'
import { measureMiddleware } from './middleware.js'
import { findNode24, thisNode } from './node-24.js'
import { measureQueue } from './queue.js'
import { measureSandbox } from './sandbox.js'
import { type Results, type Section, toText } from './section.js'
import { SMTP_SOURCE, startSmtpSink } from './smtp-sink.js'
import { startSink } from './start-sink.js'
import { measureTransport, type TransportRun } from './transport.js'
import { type TransportPart, transportParts, usualParts } from './transport-parts.js'
import { measureWebhooks } from './webhooks.js'

const USAGE = `node dist/index.js [part…] [--short] [--als] [--node24] [--docs]

Parts (default: all): transport, or parts of it (${transportParts.join(', ')});
headers, middleware, sandbox, webhooks, queue.
  --short   few rounds: a quick look while you work, not for publishing
  --als     measure the transport with an AsyncLocalStorage in use
  --node24  measure the transport on Node 24, which npm downloads
  --docs    also write docs/performance.{json,svg,md}
Without a part, the transport is measured in all four combinations of Node and AsyncLocalStorage.
`

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    als: { type: 'boolean', default: false },
    node24: { type: 'boolean', default: false },
    docs: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const isTransportPart = (part: string): part is TransportPart => transportParts.some((each) => each === part)
const others = {
  headers: async () => {
    const smtpSink = await startSmtpSink(sink)
    const section = await measureHeaders(smtpSink)
    smtpSink.stop()
    return [section]
  },
  middleware: measureMiddleware,
  sandbox: async () => [
    await measureSandbox('plain text'),
    await measureSandbox('text, HTML and an attachment'),
    await measureInbox(),
  ],
  webhooks: async () => [await measureWebhooks()],
  queue: () => measureQueue(sink, flags.short),
}
const isOther = (part: string): part is keyof typeof others => part in others
const unknown = positionals.filter((part) => part !== 'transport' && !isTransportPart(part) && !isOther(part))
if (flags.help || unknown.length > 0) {
  if (unknown.length > 0) process.stderr.write(`Unknown part: ${unknown.join(', ')}.\n\n`)
  process.stdout.write(USAGE)
  process.exit(unknown.length > 0 ? 1 : 0)
}

const measuresSandbox = positionals.length === 0 || positionals.includes('sandbox')
if (measuresSandbox && !existsSync(SMTP_SOURCE)) {
  process.stderr.write(
    `The part sandbox needs ${SMTP_SOURCE} (Debian: postfix). Install it, or choose other parts.\n`,
  )
  process.exit(1)
}

const start = performance.now()
const machine = describeMachine()
process.stdout.write(`${machine}\n`)
const sink = await startSink()
const print = (section: Section) => process.stdout.write(`\n${toText(section)}\n`)
const sections = await measureTransport(sink, await planTransport(), print)
for (const part of positionals.length > 0 ? positionals : Object.keys(others)) {
  if (!isOther(part)) continue
  for (const section of await others[part]()) {
    sections.push(section)
    print(section)
  }
}
sink.stop()

const seconds = Math.round((performance.now() - start) / 1000)
const results: Results = { machine, seconds, sections }
const json = `${JSON.stringify(results, null, 2)}\n`
const folder = new URL('../.results/', import.meta.url)
mkdirSync(folder, { recursive: true })
writeFileSync(new URL('bench.json', folder), json)
writeFileSync(new URL('bench.svg', folder), toChart(results))
if (flags.docs) {
  const docs = new URL('../../../docs/', import.meta.url)
  const document = new URL('performance.md', docs)
  writeFileSync(new URL('performance.json', docs), json)
  writeFileSync(new URL('performance.svg', docs), toChart(results))
  writeFileSync(document, withFigures(readFileSync(document, 'utf8'), results))
}
process.stdout.write(`\n${seconds} s. Figures and chart: packages/bench/.results/bench.{json,svg}\n`)

/** Everything in the first environment; in the others only what they change. */
async function planTransport(): Promise<TransportRun[]> {
  const effort = flags.short ? 0.4 : 1
  if (positionals.length > 0) {
    const asked = (part: TransportPart) =>
      positionals.includes(part) || (positionals.includes('transport') && usualParts.includes(part))
    const parts = transportParts.filter(asked)
    const node = flags.node24 && parts.length > 0 ? await findNode24() : thisNode
    return node && parts.length > 0 ? [{ node, als: flags.als, parts, effort }] : []
  }
  const changed = { parts: ['near', 'first', 'injection'] as const, effort: effort * 0.6 }
  const runs: TransportRun[] = [
    { node: thisNode, als: false, parts: usualParts, effort },
    { node: thisNode, als: true, ...changed },
  ]
  const node = await findNode24()
  if (node && node !== thisNode) runs.push({ node, als: false, ...changed }, { node, als: true, ...changed })
  return runs
}

function describeMachine(): string {
  const versions = ['nodemailer', 'express', 'fastify', 'hono', 'bullmq', 'maildev'].map(
    (name) => `${name} ${versionOf(name)}`,
  )
  return `${cpus()[0]?.model.trim()} × ${cpus().length}, Node ${process.version}, ${versions.join(', ')}`
}

function versionOf(name: string): string {
  const paths = createRequire(import.meta.url).resolve.paths(name) ?? []
  for (const path of paths) {
    try {
      return JSON.parse(readFileSync(`${path}/${name}/package.json`, 'utf8')).version
    } catch {
      // Not in this folder.
    }
  }
  return '?'
}
