import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { quantile } from './measure.js'
import type { Section } from './section.js'

const ROUNDS = 12
const REQUESTS = 1000
const CONCURRENCY = 10

/** Applications by name; the first is repeated at the end, to show the noise. */
const KINDS = [
  ['no middleware', 'none'],
  ['only an AsyncLocalStorage', 'storage'],
  ['postmarkContext(function)', 'function'],
  ['postmarkContext(fields)', 'fields'],
  ['both, nested', 'both'],
  ['no middleware again', 'none'],
] as const

interface Application {
  readonly name: string
  readonly child: ChildProcess
  readonly port: number
  readonly cpu: number[]
  readonly rate: number[]
}

const FRAMEWORKS: readonly (readonly [name: string, program: URL])[] = [
  ['Express', new URL('./express-app.js', import.meta.url)],
  ['Fastify', new URL('./fastify-app.js', import.meta.url)],
  ['Hono', new URL('./hono-app.js', import.meta.url)],
]

/** CPU time of a request that sends no email, with each framework. */
export async function measureMiddleware(): Promise<Section[]> {
  const sections: Section[] = []
  for (const [framework, program] of FRAMEWORKS) sections.push(await measureFramework(framework, program))
  return sections
}

/** CPU time of the server's process; each application has its own. */
async function measureFramework(framework: string, program: URL): Promise<Section> {
  const applications = await Promise.all(KINDS.map(([name, kind]) => start(program, name, kind)))
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY })
  for (let round = -1; round < ROUNDS; round++) {
    for (let turn = 0; turn < applications.length; turn++) {
      const application = applications[(turn + Math.max(round, 0)) % applications.length]!
      const before = await readCpu(application.child)
      const started = performance.now()
      await askOften(agent, application.port)
      const seconds = (performance.now() - started) / 1000
      const after = await readCpu(application.child)
      if (round < 0) continue
      application.cpu.push((after - before) / REQUESTS)
      application.rate.push(REQUESTS / seconds)
    }
  }
  agent.destroy()
  for (const { child } of applications) child.disconnect()
  const costs = applications.map(({ cpu }) => quantile(cpu, 0.25))
  return {
    title: `${framework} middleware, CPU per request that sends no email: ${ROUNDS} rounds of ${REQUESTS} requests`,
    headings: ['application', 'CPU \u00b5s/request', 'requests/s', 'extra \u00b5s', 'CPU vs. no middleware'],
    rows: applications.map(({ name, rate }, index) => [
      name,
      costs[index]!,
      quantile(rate, 0.5),
      costs[index]! - costs[0]!,
      costs[index]! / costs[0]!,
    ]),
    charts: [{ column: 4, better: 'lower' }],
  }
}

async function start(program: URL, name: string, kind: string): Promise<Application> {
  const child = fork(program, [kind], {
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const [port] = (await once(child, 'message')) as [number]
  return { name, child, port, cpu: [], rate: [] }
}

/** CPU time of a process since its start, in microseconds. */
async function readCpu(child: ChildProcess): Promise<number> {
  child.send('cpu')
  const [micros] = (await once(child, 'message')) as [number]
  return micros
}

async function askOften(agent: Agent, port: number): Promise<void> {
  let left = REQUESTS
  const work = async () => {
    while (left-- > 0) await ask(agent, port)
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, work))
}

function ask(agent: Agent, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ agent, host: '127.0.0.1', port, path: '/' }, (response) => {
      response.resume().on('end', resolve)
    }).on('error', reject)
  })
}
