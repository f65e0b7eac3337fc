import { mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { PostmarkError } from '@postmark-smtp/core'
import { lockDirectory } from './directory-lock.js'
import type { DataRecord } from './frame.js'
import { readSegments } from './read-segments.js'
import { Segment } from './segment.js'
import { listSegments, numberOf, type SegmentName, toName } from './segment-name.js'

/** Saves and restores the state. */
interface DataState {
  /** Restores what was kept, in the same order. */
  restore(record: DataRecord): void
  /** The records from which `restore` makes the current state again. */
  snapshot(): Iterable<DataRecord>
}

/** Where changes are written, so that they survive the process. */
export interface DataDirectory {
  /**
   * Reads what is there, and begins a new segment with it.
   * @returns what could not be read, one sentence each
   * @throws PostmarkError ERR_POSTMARK_OPTIONS if another version wrote it, or if it cannot be read or written; then
   * nothing is lost
   */
  load(state: DataState): readonly string[]
  /** Writes a record, after those that were added. @throws Error of the system; then the record is not kept */
  write(fact: object, body?: Buffer): void
  /** Adds a record for the next write. */
  add(fact: object): void
  /** Writes what was added. @throws Error of the system; the records stay for the next write */
  flush(): void
  /** Writes the whole state into a new segment soon, and removes the others. */
  compact(): void
  /** Writes what was added, and releases the directory for other processes. */
  close(): void
}

/** How large the files get, and what happens if they cannot be written. */
export interface DataSizes {
  /** The size at which the next segment begins. Default 8 MB. */
  readonly segmentBytes?: number
  /** How much is written before the next snapshot, if that is more than the last snapshot. Default 16 MB. */
  readonly compactBytes?: number
  /** Called when a snapshot, or what `close` still had to write, could not be written. */
  readonly onProblem?: (message: string) => void
}

/**
 * Makes the directory if it does not exist, and locks it for this process.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS if that is not possible, or if another process has it
 */
export async function openDataDirectory(path: string, sizes: DataSizes = {}): Promise<DataDirectory> {
  const { segmentBytes = 8_000_000, compactBytes = 16_000_000, onProblem } = sizes
  const directory = makeDirectory(path)
  const lock = await lockDirectory(directory)
  let pending: DataRecord[] = []
  let state: DataState | undefined
  let segment: Segment | undefined
  let number = 0
  let snapshotBytes = 0
  let bytesSince = 0
  let planned: NodeJS.Immediate | undefined
  let isClosed = false

  function append(records: readonly DataRecord[]): void {
    if (segment === undefined || records.length === 0) return
    if (segment.length >= segmentBytes) segment = follow(segment)
    const before = segment.length
    segment.append(records)
    bytesSince += segment.length - before
    if (bytesSince > Math.max(compactBytes, snapshotBytes)) plan()
  }

  /** The new file must exist before the last record of the previous one names it. */
  function follow(full: Segment): Segment {
    const next = new Segment(join(directory, toName(number + 1)))
    try {
      full.append([{ fact: { next: number + 1 } }])
    } catch (error) {
      next.close()
      rmSync(join(directory, toName(number + 1)))
      throw error
    }
    full.close()
    number += 1
    return next
  }

  function plan(): void {
    // Not immediately, because what is being written may not be part of the state yet.
    planned ??= setImmediate(() => {
      planned = undefined
      try {
        writeSnapshot()
      } catch (error) {
        onProblem?.(`The data directory could not be compacted: ${(error as Error).message}.`)
      }
    })
  }

  /** An unfinished snapshot has a name that is not read. The old files are removed only when it is whole and on the disk. */
  function writeSnapshot(damaged: readonly SegmentName[] = []): void {
    const [unfinished, finished] = [join(directory, UNFINISHED), join(directory, toName(number + 1, true))]
    rmSync(unfinished, { force: true })
    const next = new Segment(unfinished)
    try {
      for (const records of inBatches(state!.snapshot())) next.append(records)
      next.append([{ fact: { complete: true } }])
      next.sync()
      renameSync(unfinished, finished)
    } catch (error) {
      next.close()
      rmSync(unfinished, { force: true })
      throw error
    }
    segment?.close()
    segment = next
    number += 1
    pending = []
    snapshotBytes = next.length
    bytesSince = 0
    for (const name of listSegments(readdirSync(directory))) {
      if (numberOf(name) >= number) continue
      // Kept under a name that is not read as a segment. Until the snapshot is whole, it is the only copy.
      if (damaged.includes(name)) renameSync(join(directory, name), join(directory, `${name}.damaged`))
      else rmSync(join(directory, name), { force: true })
    }
  }

  return {
    load(given) {
      state = given
      const names = withCause(path, () => listSegments(readdirSync(directory)))
      const read = (name: SegmentName) => withCause(path, () => readFileSync(join(directory, name)))
      const { problems, damaged } = readSegments(names, read, (record) => given.restore(record))
      number = Math.max(0, ...names.map(numberOf))
      withCause(path, () => writeSnapshot(damaged))
      return problems.map((problem) => `${directory}: ${problem}`)
    },
    write(fact, body) {
      append([...pending, { fact, ...(body && { body }) }])
      pending = []
    },
    add(fact) {
      if (segment !== undefined) pending.push({ fact })
    },
    flush() {
      append(pending)
      pending = []
    },
    compact: plan,
    close() {
      if (isClosed) return
      isClosed = true
      try {
        append(pending)
      } catch (error) {
        onProblem?.(
          `The last changes could not be written to the data directory: ${(error as Error).message}.`,
        )
      }
      clearImmediate(planned)
      segment?.close()
      segment = undefined
      lock.release()
    },
  }
}

const UNFINISHED = 'snapshot.unfinished'
const BATCH_BYTES = 1_000_000

/** Groups records, so that a snapshot takes few writes and little memory. */
function* inBatches(records: Iterable<DataRecord>): Generator<DataRecord[]> {
  let batch: DataRecord[] = []
  let bytes = 0
  for (const record of records) {
    batch.push(record)
    bytes += 1000 + (record.body?.length ?? 0)
    if (bytes < BATCH_BYTES) continue
    yield batch
    batch = []
    bytes = 0
  }
  yield batch
}

function makeDirectory(path: string): string {
  return withCause(path, () => {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    return realpathSync(path)
  })
}

/** Names the directory in an error of the system. */
function withCause<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    const message = `The data directory ${path} cannot be used: ${(error as Error).message}.`
    const hint = 'Use a directory that this user may read and write, on a disk with free space.'
    throw new PostmarkError('ERR_POSTMARK_OPTIONS', message, { hint, cause: error })
  }
}
