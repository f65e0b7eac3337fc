import { createPostmarkTransport } from '@postmark-smtp/core'
import { createTransport } from 'nodemailer'
import { type Contender, measure, quantile } from './measure.js'
import type { Section } from './section.js'

const TOKEN = '5a4db0c5-0000-4000-8000-706f73746d61'
const CONNECTIONS = 10
const FIRST_MAILS = 15
const message = {
  from: 'shop@example.com',
  to: 'customer@example.com',
  subject: 'Your order has been sent',
  text: 'Hello,\n\nyour order is on its way.\n',
  headers: { 'X-Shop': 'example' },
}

interface Sender {
  sendMail(message: object): Promise<unknown>
  close(): unknown
}

function plain(port: number): Sender {
  return createTransport({
    host: '127.0.0.1',
    port,
    ignoreTLS: true,
    pool: true,
    maxConnections: CONNECTIONS,
    auth: { user: TOKEN, pass: TOKEN },
  })
}

function ours(port: number): Sender {
  const pool = { maxConnections: CONNECTIONS }
  return createPostmarkTransport({
    serverToken: TOKEN,
    host: '127.0.0.1',
    ports: [port],
    allowPlaintext: true,
    pool,
    // 10 MB in base64 is more than Postmark takes; here only memory counts.
    preflight: 'warn',
  })
}

/** Mails per second with the same number of connections, at the round trip that the server has. */
export async function measureRate(port: number, roundTripMs: number): Promise<Section> {
  const senders: [string, Sender][] = [
    ['plain Nodemailer', plain(port)],
    ['createPostmarkTransport', ours(port)],
    ['plain Nodemailer again', plain(port)],
  ]
  const contenders: Contender[] = senders.map(([name, sender]) => ({
    name,
    send: () => sender.sendMail(message),
  }))
  const perRound = roundTripMs > 0 ? 100 : 500
  const results = await measure(contenders, { rounds: 15, perRound, concurrency: 50 })
  for (const [, sender] of senders) await sender.close()
  const first = results[0]!.perSecond
  return {
    title: `Rate, ${CONNECTIONS} connections, ${roundTripMs} ms round trip: 15 rounds of ${perRound} mails`,
    headings: ['sent by', 'mails/s', 'CPU \u00b5s/mail', 'rate against plain'],
    rows: results.map(({ name, perSecond, cpuMicros }) => [name, perSecond, cpuMicros, perSecond / first]),
    chart: { column: 3, better: 'higher' },
  }
}

/** Time from a new transporter to its first mail: connection, login and send. */
export async function measureFirstMail(port: number, roundTripMs: number): Promise<Section> {
  const makers = [
    ['plain Nodemailer', plain],
    ['createPostmarkTransport', ours],
    ['plain Nodemailer again', plain],
  ] as const
  const times = makers.map((): number[] => [])
  for (let round = 0; round <= FIRST_MAILS; round++) {
    for (let turn = 0; turn < makers.length; turn++) {
      const index = (turn + round) % makers.length
      const start = performance.now()
      const sender = makers[index]![1](port)
      await sender.sendMail(message)
      if (round > 0) times[index]!.push(performance.now() - start)
      await sender.close()
    }
  }
  const medians = times.map((values) => quantile(values, 0.5))
  return {
    title: `First mail of a new transporter, ${roundTripMs} ms round trip: median of ${FIRST_MAILS}`,
    headings: ['sent by', 'ms', 'against plain'],
    rows: makers.map(([name], index) => [name, medians[index]!, medians[index]! / medians[0]!]),
    chart: { column: 2, better: 'lower' },
  }
}

/** Most memory outside the heap while one attachment of 10 MB is sent, above what was held before. */
export async function measureMemory(port: number): Promise<Section> {
  const content = Buffer.alloc(10_000_000, 'a')
  const makers = [
    ['plain Nodemailer', plain],
    ['createPostmarkTransport', ours],
    ['plain Nodemailer again', plain],
  ] as const
  const peaks = makers.map((): number[] => [])
  for (let round = 0; round < 8; round++) {
    for (const [index, [, make]] of makers.entries()) {
      const sender = make(port)
      globalThis.gc?.()
      const before = process.memoryUsage()
      let peak = 0
      const timer = setInterval(() => {
        const { external, heapUsed } = process.memoryUsage()
        peak = Math.max(peak, external + heapUsed - before.external - before.heapUsed)
      }, 1)
      await sender.sendMail({ ...message, attachments: [{ filename: 'a.txt', content }] })
      clearInterval(timer)
      if (round > 0) peaks[index]!.push(peak / 1_000_000)
      await sender.close()
    }
  }
  const medians = peaks.map((values) => quantile(values, 0.5))
  return {
    title: 'Memory above the start, one attachment of 10 MB held by the caller: median peak of 7',
    headings: ['sent by', 'MB', 'against plain'],
    rows: makers.map(([name], index) => [name, medians[index]!, medians[index]! / medians[0]!]),
    chart: { column: 2, better: 'lower' },
  }
}
