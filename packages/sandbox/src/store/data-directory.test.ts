import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs, {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DataSizes, openDataDirectory } from './data-directory.js'
import type { DataRecord } from './frame.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sandbox-data-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** What a process has in memory: a list of numbers, of which one may take back others. */
function createNumbers() {
  const records: DataRecord[] = []
  return {
    records,
    numbers: () => records.map(({ fact }) => (fact as { n: number }).n),
    restore: (record: DataRecord) => void records.push(record),
    snapshot: () => records,
  }
}

async function open(sizes?: DataSizes) {
  const state = createNumbers()
  const data = await openDataDirectory(directory, sizes)
  const problems = data.load(state)
  const write = (n: number, bytes = 100) => {
    const record = { fact: { n }, body: Buffer.alloc(bytes, n) }
    data.write(record.fact, record.body)
    state.records.push(record)
  }
  return { ...state, data, problems, write }
}

const files = () =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .sort()
const edit = (name: string, change: (bytes: Buffer) => Buffer) => {
  const file = join(directory, name)
  writeFileSync(file, change(readFileSync(file)))
}
const flip = (at: number) => (bytes: Buffer) => {
  bytes[at]! ^= 0x40
  return bytes
}

/** A directory with one segment of four records and one of two. */
async function fill() {
  const { write, data } = await open({ segmentBytes: 500 })
  for (const n of [1, 2, 3, 4, 5, 6]) write(n)
  data.close()
  expect(files()).toEqual(['00000001-snapshot.log', '00000002.log'])
}

it('gives back what was written, bytes and all, in its order', async () => {
  const first = await open()
  first.data.add({ n: 1 })
  first.data.add({ n: 2 })
  first.data.flush()
  first.write(3, 0)
  first.write(4, 100_000)
  first.data.close()
  const second = await open()
  expect(second.numbers()).toEqual([1, 2, 3, 4])
  expect(second.records[3]!.body).toEqual(Buffer.alloc(100_000, 4))
  second.data.close()
  expect(second.problems).toEqual([])
})

it('writes into further segments, and reads them in their order', async () => {
  const first = await open({ segmentBytes: 1000 })
  for (let n = 0; n < 100; n++) first.write(n)
  expect(files().length).toBeGreaterThan(10)
  first.data.close()
  const second = await open()
  expect(second.numbers()).toEqual(Array.from({ length: 100 }, (_, n) => n))
  expect(second.problems).toEqual([])
  expect(files()).toHaveLength(1)
  second.data.close()
})

it('leaves out of the files what is in memory no more, by itself and when it is told to', async () => {
  const { write, records, data } = await open({ segmentBytes: 1000, compactBytes: 5000 })
  for (let n = 0; n < 1000; n++) {
    write(n)
    if (records.length > 10) records.shift()
    if (n % 10 === 0) await new Promise(setImmediate)
  }
  expect(files().length).toBeLessThan(12)
  records.length = 0
  data.compact()
  await new Promise(setImmediate)
  expect(files()).toHaveLength(1)
  expect(readFileSync(join(directory, files()[0]!)).length).toBeLessThan(200)
  data.close()
})

it('keeps a record that is under way while the others are written anew', async () => {
  const { data, records } = await open()
  data.write({ n: 1 })
  data.compact()
  records.push({ fact: { n: 1 } })
  await new Promise(setImmediate)
  data.close()
  const second = await open()
  expect(second.numbers()).toEqual([1])
  second.data.close()
})

describe('damage', () => {
  it.each<[what: string, change: () => void, kept: number[], problem: RegExp | undefined]>([
    [
      'a torn tail',
      () => edit('00000002.log', (bytes) => bytes.subarray(0, -5)),
      [1, 2, 3, 4, 5],
      /last record of 00000002\.log is incomplete/,
    ],
    [
      'a tail of one byte',
      () => edit('00000002.log', (bytes) => Buffer.concat([bytes, bytes.subarray(64, 65)])),
      [1, 2, 3, 4, 5, 6],
      /incomplete/,
    ],
    [
      'a flipped byte in a record',
      () => edit('00000001-snapshot.log', flip(300)),
      [1, 3, 4, 5, 6],
      /\d+ bytes of 00000001-snapshot\.log cannot be read\. All other records/,
    ],
    [
      'a flipped byte in a length',
      () => edit('00000002.log', flip(64 + 10)),
      [1, 2, 3, 4, 6],
      /bytes of 00000002\.log cannot be read/,
    ],
    [
      'a flipped byte in the header',
      () => edit('00000002.log', flip(30)),
      [1, 2, 3, 4, 5, 6],
      /first line of 00000002\.log is damaged/,
    ],
    [
      'a flipped version',
      () => edit('00000002.log', flip(22)),
      [1, 2, 3, 4, 5, 6],
      /first line of 00000002\.log is damaged/,
    ],
    [
      'a truncated segment',
      () => edit('00000001-snapshot.log', (bytes) => bytes.subarray(0, 64 + 57 + 130)),
      [1, 5, 6],
      /00000001-snapshot\.log/,
    ],
    [
      'a segment without a byte',
      () => truncateSync(join(directory, '00000001-snapshot.log')),
      [5, 6],
      /00000001-snapshot\.log is empty/,
    ],
    [
      'a missing segment',
      () => rmSync(join(directory, '00000001-snapshot.log')),
      [5, 6],
      /00000001\.log is missing/,
    ],
    [
      'a missing last segment',
      () => rmSync(join(directory, '00000002.log')),
      [1, 2, 3, 4],
      /00000002\.log is missing/,
    ],
    [
      'random bytes at the end',
      () => edit('00000002.log', (bytes) => Buffer.concat([bytes, Buffer.alloc(50, 'x')])),
      [1, 2, 3, 4, 5, 6],
      /50 bytes of 00000002\.log cannot be read/,
    ],
    [
      'a segment that was made and never written to',
      () => writeFileSync(join(directory, '00000003.log'), ''),
      [1, 2, 3, 4, 5, 6],
      undefined,
    ],
    [
      'a snapshot that was not finished',
      () => writeFileSync(join(directory, 'snapshot.unfinished'), 'half'),
      [1, 2, 3, 4, 5, 6],
      undefined,
    ],
  ])('%s: keeps what can be read, and says what cannot', async (_what, change, kept, problem) => {
    await fill()
    change()
    const second = await open()
    expect(second.numbers()).toEqual(kept)
    expect(second.problems).toEqual(problem ? [expect.stringMatching(problem)] : [])
    second.write(9)
    second.data.close()
    const third = await open()
    expect(third.numbers()).toEqual([...kept, 9])
    expect(third.problems).toEqual([])
    third.data.close()
  })

  it('sets a damaged file aside as it is', async () => {
    await fill()
    edit('00000001-snapshot.log', flip(300))
    const damaged = readFileSync(join(directory, '00000001-snapshot.log'))
    ;(await open()).data.close()
    expect(readFileSync(join(directory, '00000001-snapshot.log.damaged'))).toEqual(damaged)
  })

  it('keeps what can be read where the disk is full at the first start after the damage', async () => {
    await fill()
    edit('00000001-snapshot.log', flip(300))
    const before = files()
    const { fsyncSync } = fs
    fs.fsyncSync = () => {
      throw new Error('ENOSPC: no space left on device, fsync')
    }
    syncBuiltinESMExports()
    try {
      const data = await openDataDirectory(directory)
      expect(() => data.load(createNumbers())).toThrow(
        `The data directory ${directory} cannot be used: ENOSPC: no space left on device, fsync.`,
      )
      data.close()
    } finally {
      fs.fsyncSync = fsyncSync
      syncBuiltinESMExports()
    }
    expect(files()).toEqual(before)
    const second = await open()
    expect(second.numbers()).toEqual([1, 3, 4, 5, 6])
    expect(second.problems).toHaveLength(1)
    second.data.close()
    expect(readdirSync(directory)).toContain('00000001-snapshot.log.damaged')
  })

  it('names the directory where a segment cannot be opened, and leaves the others', async () => {
    await fill()
    mkdirSync(join(directory, '00000003.log'))
    const before = files()
    const data = await openDataDirectory(directory)
    expect(() => data.load(createNumbers())).toThrow(
      `The data directory ${directory} cannot be used: EISDIR: illegal operation on a directory, read.`,
    )
    data.close()
    expect(files()).toEqual(before)
  })

  it('reads nothing of an email as a record, even after damage', async () => {
    const first = await open()
    first.write(1)
    first.data.close()
    const bytes = readFileSync(join(directory, files()[0]!))
    const second = await open()
    // What an email would have to hold, had its sender seen an older file.
    second.data.write({ n: 2 }, bytes.subarray(64))
    second.data.close()
    edit(files()[0]!, flip(readFileSync(join(directory, files()[0]!)).length - bytes.length + 40))
    const third = await open()
    expect(third.numbers()).toEqual([1])
    expect(third.problems).toHaveLength(1)
    third.data.close()
  })

  it('touches nothing of another version, and says what to do', async () => {
    await fill()
    edit('00000002.log', () => Buffer.from('postmark-sandbox-data 7 of another day'.padEnd(80)))
    const before = files().map((name) => readFileSync(join(directory, name), 'latin1'))
    const data = await openDataDirectory(directory)
    expect(() => data.load(createNumbers())).toThrow(
      /written by another version of the sandbox: 00000002\.log has the format 7, but this version reads 1/,
    )
    data.close()
    expect(files().map((name) => readFileSync(join(directory, name), 'latin1'))).toEqual(before)
  })
})

describe('the lock', () => {
  it('lets one have a directory at a time', async () => {
    const first = await open()
    await expect(openDataDirectory(directory)).rejects.toThrow(
      `Another sandbox uses the data directory ${directory}.`,
    )
    first.data.close()
    ;(await open()).data.close()
  })

  it('is not taken from another by closing twice', async () => {
    const first = await open()
    first.data.close()
    const second = await open()
    first.data.close()
    await expect(openDataDirectory(directory)).rejects.toThrow('Another sandbox uses')
    second.data.close()
  })

  it('lets one of many at once have it', async () => {
    const all = await Promise.allSettled(Array.from({ length: 10 }, () => openDataDirectory(directory)))
    const opened = all.filter((result) => result.status === 'fulfilled')
    expect(opened).toHaveLength(1)
    for (const { value } of opened) value.close()
    expect(readdirSync(directory)).toEqual([])
  })

  it.skipIf(process.platform === 'win32').each([
    ['is killed', 'SIGKILL', true],
    ['is stopped, and so alive', 'SIGSTOP', false],
  ] as const)('of a process that %s', async (_what, signal, isFree) => {
    const child = spawn(process.execPath, [
      '-e',
      "require('node:net').createServer().listen(process.argv[1] + '/lock', () => console.log('up'))",
      directory,
    ])
    await once(child.stdout, 'data')
    child.kill(signal)
    if (isFree) await once(child, 'exit')
    const opening = openDataDirectory(directory)
    if (isFree) (await opening).close()
    else await expect(opening).rejects.toThrow('Another sandbox uses')
    child.kill('SIGKILL')
  })

  it('is elsewhere for a directory whose path is too long for a socket', async () => {
    directory = mkdtempSync(join(directory, 'x'.repeat(100)))
    const first = await open()
    expect(readdirSync(directory)).toEqual(files())
    await expect(openDataDirectory(directory)).rejects.toThrow('Another sandbox uses')
    first.data.close()
  })
})

it('writes at the end what a full disk kept waiting', async () => {
  const { data } = await open()
  data.add({ n: 1 })
  data.close()
  const second = await open()
  expect(second.numbers()).toEqual([1])
  second.data.close()
})

it('says why a directory cannot be used', async () => {
  writeFileSync(join(directory, 'file'), '')
  await expect(openDataDirectory(join(directory, 'file'))).rejects.toThrow(
    /^The data directory .* cannot be used: EEXIST/,
  )
  rmSync(join(directory, 'file'))
  writeFileSync(join(directory, 'file'), '')
  await expect(openDataDirectory(join(directory, 'file', 'data'))).rejects.toThrow(
    /^The data directory .* cannot be used: ENOTDIR/,
  )
})
