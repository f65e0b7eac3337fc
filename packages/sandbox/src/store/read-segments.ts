import { PostmarkError } from '@postmark-smtp/core'
import type { DataRecord } from './frame.js'
import { readSegment } from './segment.js'
import { isStart, numberOf, type SegmentName, toName } from './segment-name.js'

/** The result of reading. */
export interface ReadResult {
  /** What could not be read, one sentence each. */
  readonly problems: readonly string[]
  /** The segments that are damaged. */
  readonly damaged: readonly SegmentName[]
}

/** What a segment says about itself: that another one follows, that its snapshot is whole. */
interface Mark {
  readonly next?: number
  readonly complete?: boolean
}

/**
 * Restores all records from the last snapshot on. From damaged segments, it restores those that are whole.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS if another version of the sandbox wrote one
 */
export function readSegments(
  names: readonly SegmentName[],
  read: (name: SegmentName) => Buffer,
  restore: (record: DataRecord) => void,
): ReadResult {
  const problems: string[] = []
  const damaged = new Set<SegmentName>()
  const start = Math.max(0, names.findLastIndex(isStart))
  const used = names.slice(start)
  let expected = used[0] === undefined || isStart(used[0]) ? undefined : 1
  let goesOn: SegmentName | undefined

  for (const [index, name] of used.entries()) {
    const content = readSegment(read(name))
    if (content.kind === 'unknown-version') throw unknownVersion(name, content.version)
    // Made for records that never came.
    if (content.kind === 'empty' && index === used.length - 1 && index > 0) break
    const number = numberOf(name)
    if (expected !== undefined && number > expected) problems.push(missing(expected, number - 1))
    if (goesOn !== undefined && number === expected) {
      problems.push(`${goesOn} is shorter than it was, so its last records are missing.`)
      damaged.add(goesOn)
    }
    if (content.kind === 'empty') {
      problems.push(`${name} is empty, so its records are missing.`)
      damaged.add(name)
      expected = number + 1
      continue
    }
    const isLast = index === used.length - 1
    const mark = { isComplete: !isStart(name), next: undefined as number | undefined }
    let skipped = 0
    let isTorn = false
    for (const part of content.records) {
      if (Array.isArray(part)) for (const record of part) take(record, mark, restore)
      else if (part.isTorn && isLast && mark.isComplete) isTorn = true
      else skipped += part.to - part.from
    }
    if (skipped > 0 || content.isHeaderDamaged) {
      problems.push(describeDamage(name, skipped))
      damaged.add(name)
    } else if (!mark.isComplete) {
      problems.push(`${name} is shorter than it was, so its last records are missing.`)
      damaged.add(name)
    }
    if (isTorn)
      problems.push(`The last record of ${name} is incomplete; its email was never answered with 250.`)
    goesOn = mark.next === undefined && !damaged.has(name) ? name : undefined
    expected = number + 1
    if (isLast && mark.next !== undefined) problems.push(missing(mark.next, mark.next))
  }
  return { problems, damaged: [...damaged] }
}

function take(
  record: DataRecord,
  mark: { isComplete: boolean; next: number | undefined },
  restore: (record: DataRecord) => void,
) {
  const { next, complete } = record.fact as Mark
  if (next !== undefined) mark.next = next
  else if (complete) mark.isComplete = true
  else restore(record)
}

function missing(from: number, to: number): string {
  const names = from === to ? toName(from) : `${toName(from)} to ${toName(to)}`
  return `${names} ${from === to ? 'is' : 'are'} missing, with all ${from === to ? 'its' : 'their'} records.`
}

function describeDamage(name: SegmentName, bytes: number): string {
  const what = bytes > 0 ? `${bytes} bytes of ${name} cannot be read` : `The first line of ${name} is damaged`
  const kept = bytes > 0 ? 'All other records in it were' : 'All its records were'
  return `${what}. ${kept} kept. The file is now ${name}.damaged.`
}

function unknownVersion(name: SegmentName, version: string): PostmarkError {
  return new PostmarkError(
    'ERR_POSTMARK_OPTIONS',
    `The data directory was written by another version of the sandbox: ${name} has the format ${version}, but this version reads 1.`,
    { hint: 'Run the version that wrote it, or use an empty directory.' },
  )
}
