/** One way of doing it, measured in turns with the others. */
export type Contender = { readonly name: string } & (
  | { send(index: number): Promise<unknown> }
  /** Sends so many itself, in place of one call for each. */
  | { run(count: number): Promise<unknown> }
)

/** What a contender costs: of CPU the lowest fifth, of rates the highest. */
export interface Measurement {
  readonly name: string
  readonly cpuMicros: number
  readonly perSecond: number
}

/** How often and how much. */
export interface Rounds {
  /** Turns of each contender. */
  readonly rounds: number
  readonly perRound: number
  /** How many are under way at once. */
  readonly concurrency: number
  /** Mails of each before those that count. */
  readonly warmUp: number
  /** Mails of a turn before those that count: the one before ran other code. Default 0. */
  readonly leadIn?: number
}

/**
 * Measures contenders in short rounds that rotate, since the speed of a machine drifts by a third within a run. The
 * rounds that were disturbed least count: what else runs on a machine only ever adds time. Nobody asks for a garbage
 * collection in between: V8 drops compiled code then, and a warm application would be measured as one that just began.
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

/** The order of so many contenders in a round: forwards and backwards, so that nobody always follows the same one. */
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

/** What one contender has sent after {@link measure}. */
export function countOf({ rounds, perRound, warmUp, leadIn = 0 }: Rounds): number {
  return warmUp + rounds * (leadIn + perRound)
}

/** The value below which so large a part of the values lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.round((sorted.length - 1) * part)]!
}
