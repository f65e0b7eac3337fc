import { type ExamineOptions, examine, type Finding } from '../index.js'
import { type SetUp, startSetUp } from './set-up.js'

/** Everything that an examination hands out. */
export async function collect(options: ExamineOptions): Promise<Finding[]> {
  const findings: Finding[] = []
  for await (const finding of examine(options)) findings.push(finding)
  return findings
}

/** Starts a set-up, examines it, and closes it. */
export async function examineSetUp(given: SetUp): Promise<Finding[]> {
  const setUp = await startSetUp(given)
  try {
    return await collect(setUp.options)
  } finally {
    await setUp.close()
  }
}

/** What was found wrong. */
export function kindsOf(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ kind }) => (kind === undefined ? [] : [kind]))
}

/** Every text of an output in which one of the secrets can be read: as it is, percent-encoded, in base64 of any offset. */
export function leaksIn(output: string, secrets: readonly string[]): string[] {
  const decoded = [0, 1, 2, 3].flatMap((skip) =>
    (output.match(/[\w+/-]{8,}/g) ?? []).map((run) =>
      Buffer.from(run.slice(skip), 'base64').toString('latin1'),
    ),
  )
  const texts = [output, decodeURIComponent(output.replaceAll(/%(?![0-9a-f]{2})/gi, '')), ...decoded]
  return secrets.filter((secret) => texts.some((text) => text.toLowerCase().includes(secret.toLowerCase())))
}
