/** One of the alternatives, measured in turns with the others. */
export type Contender = { readonly name: string } & (
  | { send(index: number): Promise<unknown> }
  /** Sends `count` emails itself, instead of one call for each. */
  | { run(count: number): Promise<unknown> }
)

/** The result for a contender: the 20th percentile of CPU times, the 80th of rates. */
export interface Measurement {
  readonly name: string
  readonly cpuMicros: number
  readonly perSecond: number
}

/** How many rounds, and how many emails in each. */
export interface Rounds {
  /** Turns of each contender. */
  readonly rounds: number
  readonly perRound: number
  /** Emails in progress at the same time. */
  readonly concurrency: number
  /** Emails that each contender sends before the first round. */
  readonly warmUp: number
  /** Emails at the start of a turn that do not count, because the turn before ran other code. Default 0. */
  readonly leadIn?: number
}

/**
 * Measures contenders in short rounds that rotate, because the speed of a machine drifts by a third within a run. Only
 * the least disturbed rounds count: whatever else runs on a machine can only add time. No garbage collection is forced in
 * between: V8 would drop compiled code, and a warm application would be measured as one that has just started.
 */
export async function measure(contenders: readonly Contender[], settings: Rounds): Promise<Measurement[]> {
  const { leadIn = 0 } = settings
  const samples = contenders.map(() => ({ cpu: [] as number[], rate: [] as number[] }))
  for (const contender of contenders) await runRound(contender, settings.warmUp, settings.concurrency)
  for (let round = 0; round < settings.rounds; round++) {
    for (const index of inTurns(contenders.length, round)) {
      const contender = contenders[index]!
      await runRound(contender, leadIn, settings.concurrency)
      const sample = await runRound(contender, settings.perRound, settings.concurrency)
      samples[index]!.cpu.push(sample.cpu)
      samples[index]!.rate.push(sample.rate)
    }
  }
  return contenders.map(({ name }, index) => ({
    name,
    cpuMicros: quantile(samples[index]!.cpu, 0.2),
    perSecond: quantile(samples[index]!.rate, 0.8),
  }))
}

/** The order of `count` contenders in a round: forwards and backwards, so that none always follows the same one. */
export function inTurns(count: number, round: number): number[] {
  const turns = Array.from({ length: count }, (_, turn) => (turn + round) % count)
  return round % 2 === 0 ? turns : turns.map((place) => count - 1 - place)
}

async function runRound(
  contender: Contender,
  count: number,
  concurrency: number,
): Promise<{ cpu: number; rate: number }> {
  let next = 0
  const work = async () => {
    while (next < count && 'send' in contender) await contender.send(next++)
  }
  const cpu = process.cpuUsage()
  const start = performance.now()
  if ('run' in contender) await contender.run(count)
  else await Promise.all(Array.from({ length: concurrency }, work))
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { cpu: (user + system) / count, rate: count / seconds }
}

/** The number of emails that one contender sends in {@link measure}. */
export function countOf({ rounds, perRound, warmUp, leadIn = 0 }: Rounds): number {
  return warmUp + rounds * (leadIn + perRound)
}

/** Returns a quantile of values. @param part from 0 to 1; 0.5 is the median */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.round((sorted.length - 1) * part)]!
}
