import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { headerContenders } from './headers.js'
import { type Measurement, measure } from './measure.js'

const ROUNDS = 20
const MAILS = 250

interface Row extends Measurement {
  readonly metadataFields: number
  /** Against plain Nodemailer in the same run. */
  readonly cpuRatio: number
}

const sink = fork(new URL('./sink.js', import.meta.url))
const [port] = (await once(sink, 'message')) as [number]
const rows: Row[] = []
for (const fields of [0, 3, 10]) {
  const { contenders, close } = headerContenders(port, fields)
  const results = await measure(contenders, ROUNDS, MAILS)
  close()
  const plain = results[0]!.cpuMicrosPerMail
  rows.push(
    ...results.map((result) => ({
      ...result,
      metadataFields: fields,
      cpuRatio: result.cpuMicrosPerMail / plain,
    })),
  )
}
sink.disconnect()

const machine = `${cpus()[0]?.model.trim()} × ${cpus().length}, Node ${process.version}`
const width = Math.max(...rows.map(({ name }) => name.length))
const lines = [
  `Header injection, ${MAILS} mails a round, ${ROUNDS} rounds in turn, lower quartile. ${machine}`,
  `${'fields'.padStart(6)}  ${'sent by'.padEnd(width)}  ${'CPU µs/mail'.padStart(11)}  ${'mails/s'.padStart(8)}  CPU against plain`,
  ...rows.map(
    ({ name, metadataFields, cpuMicrosPerMail, mailsPerSecond, cpuRatio }) =>
      `${String(metadataFields).padStart(6)}  ${name.padEnd(width)}  ${cpuMicrosPerMail.toFixed(0).padStart(11)}  ${mailsPerSecond.toFixed(0).padStart(8)}  ${cpuRatio.toFixed(3)}`,
  ),
]
process.stdout.write(`${lines.join('\n')}\n`)
mkdirSync('.results', { recursive: true })
writeFileSync(
  '.results/bench.json',
  JSON.stringify({ machine, rounds: ROUNDS, mailsPerRound: MAILS, rows }, null, 2),
)
