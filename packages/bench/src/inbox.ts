import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { judge } from './goal.js'
import { quantile } from './measure.js'
import type { Section } from './section.js'
import { SMTP_SOURCE } from './smtp-sink.js'

const MAILS = 10_000
const REQUESTS = 50
const GOAL = { of: 'median', is: 'at most', limit: 100 } as const

/** How long the sandbox takes to serve its inbox page while it holds many emails, from the request to the last byte. */
export async function measureInbox(): Promise<Section> {
  const child = fork(new URL('./sandbox-process.js', import.meta.url))
  const [{ port, inboxUrl }] = (await once(child, 'message')) as [{ port: number; inboxUrl: string }]
  const load = ['-d', '-m', MAILS, '-s', 10, '-l', 10_000, '-f', 'a@example.com', '-t', 'b@example.com']
  await promisify(execFile)(SMTP_SOURCE, [...load, `127.0.0.1:${port}`].map(String))
  const pages = { 'the inbox': '', 'a search without results': '?q=nothing-of-the-kind' }
  const rows = []
  for (const [name, path] of Object.entries(pages)) {
    const times: number[] = []
    for (let request = 0; request < REQUESTS; request++) {
      const start = performance.now()
      const response = await fetch(inboxUrl + path)
      await response.text()
      if (!response.ok) throw new Error(`${path} answered ${response.status}`)
      times.push(performance.now() - start)
    }
    const median = quantile(times, 0.5)
    rows.push([name, median, quantile(times, 0.95), path === '' ? judge(GOAL, median) : ''])
  }
  const exited = once(child, 'exit')
  child.kill()
  await exited
  return {
    title: `The sandbox’s inbox page with ${MAILS.toLocaleString('en')} emails of 10 kB, ${REQUESTS} requests`,
    headings: ['page', 'median ms', '95th percentile ms', 'goal'],
    rows,
    charts: [],
  }
}
