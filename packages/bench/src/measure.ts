/** One way of sending, measured in turns with the others. */
export interface Contender {
  readonly name: string
  send(index: number): Promise<unknown>
}

/** What a contender costs, from the lower quartile of its rounds. */
export interface Measurement {
  readonly name: string
  readonly cpuMicrosPerMail: number
  readonly mailsPerSecond: number
}

const CONCURRENCY = 5

/**
 * Measures contenders in short rounds that rotate, since the speed of a machine drifts by a third within a run.
 * @param rounds how often each contender has its turn, after one turn to warm up
 */
export async function measure(
  contenders: readonly Contender[],
  rounds: number,
  mailsPerRound: number,
): Promise<Measurement[]> {
  const samples = contenders.map(() => ({ cpu: [] as number[], rate: [] as number[] }))
  for (let round = -1; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const index = (turn + Math.max(round, 0)) % contenders.length
      const sample = await runRound(contenders[index]!, mailsPerRound)
      if (round < 0) continue
      samples[index]!.cpu.push(sample.cpu)
      samples[index]!.rate.push(sample.rate)
    }
  }
  return contenders.map(({ name }, index) => ({
    name,
    cpuMicrosPerMail: quantile(samples[index]!.cpu, 0.25),
    mailsPerSecond: quantile(samples[index]!.rate, 0.75),
  }))
}

async function runRound(contender: Contender, mails: number): Promise<{ cpu: number; rate: number }> {
  let next = 0
  const work = async () => {
    while (next < mails) await contender.send(next++)
  }
  globalThis.gc?.()
  const cpu = process.cpuUsage()
  const start = performance.now()
  await Promise.all(Array.from({ length: CONCURRENCY }, work))
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { cpu: (user + system) / mails, rate: mails / seconds }
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) * part)]!
}
