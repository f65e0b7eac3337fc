import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { type DataRecord, type Gap, MARKER_BYTES, readFrames, toFrames } from './frame.js'

/** The version of the files. Files of another version are not touched. */
const VERSION = 1
const HEADER_BYTES = 64
const HEADER = /^(postmark-sandbox-data (\d+) [0-9a-f]{16}) ([0-9a-f]{8}) *\n$/

/** What a segment contains. */
export type SegmentContent =
  | {
      readonly kind: 'readable'
      readonly records: Iterable<DataRecord[] | Gap>
      readonly isHeaderDamaged: boolean
    }
  /** Nothing was written to it. */
  | { readonly kind: 'empty' }
  /** Another version of the sandbox wrote it. */
  | { readonly kind: 'unknown-version'; readonly version: string }

/** One file that records are appended to. */
export class Segment {
  readonly #file: number
  readonly #marker: Buffer
  #length = 0

  /** Makes the file, with its header. */
  constructor(path: string) {
    this.#marker = randomBytes(MARKER_BYTES)
    this.#file = openSync(path, 'wx', 0o600)
    const text = `postmark-sandbox-data ${VERSION} ${this.#marker.toString('hex')}`
    const line = `${text} ${toHex(text)}`.padEnd(HEADER_BYTES - 1)
    try {
      this.#write(Buffer.from(`${line}\n`))
    } catch (error) {
      this.close()
      rmSync(path)
      throw error
    }
  }

  get length(): number {
    return this.#length
  }

  /**
   * Hands the records to the system, so that they survive the process.
   * @throws Error of the system; then none of them is in the file
   */
  append(records: readonly DataRecord[]): void {
    this.#write(toFrames(records, this.#marker))
  }

  /** Waits until the system has put everything on the disk. */
  sync(): void {
    fsyncSync(this.#file)
  }

  close(): void {
    closeSync(this.#file)
  }

  #write(bytes: Buffer): void {
    try {
      let written = 0
      while (written < bytes.length)
        written += writeSync(this.#file, bytes, written, bytes.length - written, this.#length + written)
    } catch (error) {
      // The next write would overwrite this, but might be shorter.
      ftruncateSync(this.#file, this.#length)
      throw error
    }
    this.#length += bytes.length
  }
}

/** Reads the bytes of a segment. */
export function readSegment(bytes: Buffer): SegmentContent {
  if (bytes.length <= HEADER_BYTES) return { kind: 'empty' }
  const line = bytes.toString('latin1', 0, HEADER_BYTES)
  const [, text = '', version = '', checksum] = HEADER.exec(line) ?? []
  const isWhole = checksum !== undefined && toHex(text) === checksum
  if (isWhole && version !== String(VERSION)) return { kind: 'unknown-version', version }
  // The marker is in the header and before each frame. One of them is enough.
  const first = bytes.subarray(HEADER_BYTES, HEADER_BYTES + MARKER_BYTES)
  const marker = isWhole ? Buffer.from(text.slice(-2 * MARKER_BYTES), 'hex') : first
  const records = [...readFrames(bytes, HEADER_BYTES, marker)]
  const claimed = /^postmark-sandbox-data (\d+)\s/.exec(line)?.[1]
  if (!isWhole && claimed !== undefined && claimed !== String(VERSION) && !records.some(Array.isArray))
    return { kind: 'unknown-version', version: claimed }
  return { kind: 'readable', records, isHeaderDamaged: !isWhole }
}

function toHex(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
