import { crc32 } from 'node:zlib'

/** Something that happened, as JSON, and its bytes if it has any. An empty body is read as none. */
export interface DataRecord {
  readonly fact: object
  readonly body?: Buffer
}

/** A stretch of a file that holds no frame. */
export interface Gap {
  readonly from: number
  readonly to: number
  /** Whether the file ends in the beginning of a frame, as after a kill during a write. */
  readonly isTorn: boolean
}

/** The marker is random for each file, so that no email can contain what looks like a frame after damage. */
export const MARKER_BYTES = 8
/** Marker, length of the payload, checksum over both. */
const HEAD_BYTES = MARKER_BYTES + 8

/**
 * Writes records as frames, each of which is later read whole or not at all. Successive records without a body share one.
 * A payload is the length of its JSON, the JSON (a list of facts) and the body if there is only one fact.
 */
export function toFrames(records: readonly DataRecord[], marker: Buffer): Buffer {
  const frames: Buffer[] = []
  let facts: object[] = []
  const end = () => {
    if (facts.length > 0) frames.push(...toFrame(facts, undefined, marker))
    facts = []
  }
  for (const { fact, body } of records) {
    if (body === undefined) facts.push(fact)
    else {
      end()
      frames.push(...toFrame([fact], body, marker))
    }
  }
  end()
  return Buffer.concat(frames)
}

function toFrame(facts: readonly object[], body: Buffer | undefined, marker: Buffer): Buffer[] {
  const json = Buffer.from(JSON.stringify(facts))
  const jsonLength = Buffer.alloc(4)
  jsonLength.writeUInt32LE(json.length)
  // An empty body is left out: crc32 of no bytes may forget the sum so far.
  const payload = [jsonLength, json, ...(body?.length ? [body] : [])]
  const length = Buffer.alloc(4)
  length.writeUInt32LE(payload.reduce((sum, part) => sum + part.length, 0))
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32LE([length, ...payload].reduce((sum, part) => crc32(part, sum), 0))
  return [marker, length, checksum, ...payload]
}

/** Reads the frames from an offset on, or what was skipped up to the next frame. */
export function* readFrames(bytes: Buffer, start: number, marker: Buffer): Generator<DataRecord[] | Gap> {
  let offset = start
  while (offset < bytes.length) {
    let end = endOfFrame(bytes, offset, marker)
    if (end === undefined) {
      const from = offset
      while (end === undefined && offset !== -1) {
        offset = bytes.indexOf(marker, offset + 1)
        if (offset !== -1) end = endOfFrame(bytes, offset, marker)
      }
      const to = end === undefined ? bytes.length : offset
      yield { from, to, isTorn: end === undefined && isBeginning(bytes.subarray(from), marker) }
      if (end === undefined) return
    }
    yield readPayload(bytes.subarray(offset + HEAD_BYTES, end))
    offset = end
  }
}

/** The end of a frame; undefined if there is none with a correct checksum. */
function endOfFrame(bytes: Buffer, offset: number, marker: Buffer): number | undefined {
  const start = offset + HEAD_BYTES
  if (start > bytes.length || !bytes.subarray(offset, offset + MARKER_BYTES).equals(marker)) return undefined
  const end = start + bytes.readUInt32LE(offset + MARKER_BYTES)
  if (end > bytes.length) return undefined
  const length = bytes.subarray(offset + MARKER_BYTES, offset + MARKER_BYTES + 4)
  const checksum = crc32(bytes.subarray(start, end), crc32(length))
  return checksum === bytes.readUInt32LE(offset + MARKER_BYTES + 4) ? end : undefined
}

/** Whether the bytes at the end of a file are a frame whose rest is missing. */
function isBeginning(rest: Buffer, marker: Buffer): boolean {
  if (!marker.subarray(0, rest.length).equals(rest.subarray(0, MARKER_BYTES))) return false
  return rest.length < HEAD_BYTES || rest.readUInt32LE(MARKER_BYTES) > rest.length - HEAD_BYTES
}

function readPayload(payload: Buffer): DataRecord[] {
  const bodyAt = 4 + payload.readUInt32LE(0)
  const facts = JSON.parse(payload.toString('utf8', 4, bodyAt)) as object[]
  // Copied, because the bytes of one email must not keep those of a whole file in memory.
  const body = bodyAt < payload.length ? Buffer.from(payload.subarray(bodyAt)) : undefined
  return facts.map((fact) => ({ fact, ...(body && { body }) }))
}
