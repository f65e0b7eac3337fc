import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { toChart } from './chart.js'
import { measureHeaders } from './headers.js'
import { measureMiddleware } from './middleware.js'
import { measureSandbox } from './sandbox.js'
import { type Results, type Section, toText } from './section.js'
import { startSink, startSmtpSink } from './smtp-sink.js'
import { measureFirstMail, measureMemory, measureRate } from './transport.js'
import { measureWebhooks } from './webhooks.js'

/** Round trip of the slow server, in milliseconds. */
const ROUND_TRIP_MS = 50

const smtpSink = await startSmtpSink()
const near = await startSink(0)
const far = await startSink(ROUND_TRIP_MS)
const measurements: (() => Promise<Section>)[] = [
  () => measureHeaders(smtpSink),
  measureMiddleware,
  () => measureRate(near.port, 0),
  () => measureRate(far.port, ROUND_TRIP_MS),
  () => measureFirstMail(near.port, 0),
  () => measureFirstMail(far.port, ROUND_TRIP_MS),
  () => measureMemory(near.port),
  () => measureSandbox('plain text'),
  () => measureSandbox('text, html and an attachment'),
  measureWebhooks,
]

const require = createRequire(import.meta.url)
const versionOf = (name: string): string => {
  const path = require.resolve.paths(name)?.find((folder) => readable(`${folder}/${name}/package.json`))
  return JSON.parse(readFileSync(`${path}/${name}/package.json`, 'utf8')).version
}
function readable(file: string): boolean {
  try {
    readFileSync(file)
    return true
  } catch {
    return false
  }
}

const versions = ['nodemailer', 'express', 'maildev'].map((name) => `${name} ${versionOf(name)}`)
const machine = `${cpus()[0]?.model.trim()} × ${cpus().length}, Node ${process.version}, ${versions.join(', ')}`
process.stdout.write(`${machine}\n`)
const start = performance.now()
const sections: Section[] = []
for (const run of measurements) {
  const section = await run()
  sections.push(section)
  process.stdout.write(`\n${toText(section)}\n`)
}
for (const sink of [smtpSink, near, far]) sink.stop()

const seconds = Math.round((performance.now() - start) / 1000)
const results: Results = { machine, seconds, sections }
mkdirSync('.results', { recursive: true })
writeFileSync('.results/bench.json', `${JSON.stringify(results, null, 2)}\n`)
writeFileSync('.results/bench.svg', toChart(results))
if (process.argv.includes('--docs'))
  writeFileSync('../../docs/performance.json', `${JSON.stringify(results, null, 2)}\n`)
process.stdout.write(`\n${seconds} s. Figures and chart: packages/bench/.results/bench.{json,svg}\n`)
