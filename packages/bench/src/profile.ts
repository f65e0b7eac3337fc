import { type Profiler, Session } from 'node:inspector'

/** Self time of a function, in microseconds per email. */
export interface OwnTime {
  readonly name: string
  /** File of a package or of Node; empty for what is not JavaScript. */
  readonly file: string
  readonly micros: number
}

/** The sampling interval of the profiler, in microseconds. */
const INTERVAL_MICROS = 250

/**
 * Profiles work, and divides the CPU time of the process among its functions, in proportion to the samples. Waiting takes
 * none.
 * @param count the number of emails that the work sends
 */
export async function profile(work: () => Promise<unknown>, count: number): Promise<OwnTime[]> {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.setSamplingInterval', { interval: INTERVAL_MICROS })
  session.post('Profiler.start')
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  const found = await new Promise<Profiler.Profile>((resolve, reject) => {
    session.post('Profiler.stop', (error, { profile }) => (error ? reject(error) : resolve(profile)))
  })
  session.disconnect()
  return toOwnTimes(found, (user + system) / count)
}

function toOwnTimes({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile, micros: number): OwnTime[] {
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]))
  const times = new Map<string, { name: string; file: string; time: number }>()
  let all = 0
  for (const [index, id] of samples.entries()) {
    const { functionName, url } = byId.get(id)!
    // The second is the profiler's own: its start and its stop.
    if (functionName === '(idle)' || (functionName === 'dispatch' && url === '')) continue
    const time = timeDeltas[index]!
    const file = url.replace(/^.*\/(?=node_modules\/|packages\/)/, '')
    const key = `${functionName} ${file}`
    const known = times.get(key) ?? { name: functionName || '(anonymous)', file, time: 0 }
    known.time += time
    times.set(key, known)
    all += time
  }
  return [...times.values()]
    .map(({ name, file, time }) => ({ name, file, micros: (time / all) * micros }))
    .toSorted((a, b) => b.micros - a.micros)
}
