import { describe, expect, it } from 'vitest'
import { createPostmarkServer, type PostmarkServer } from './postmark-server.js'

const ARRIVAL = { secure: true, hostType: undefined, tokenStream: undefined }
const FROM = 'From: shop@example.com\r\n'

function receive(server: PostmarkServer, headers = '', to: readonly string[] = ['ann@example.com']) {
  return server.receive(Buffer.from(`${FROM}${headers}\r\nHi\r\n`), { from: 'shop@example.com', to }, ARRIVAL)
}

describe('what an email counts for', () => {
  it.each<[what: string, mail: (server: PostmarkServer) => unknown]>([
    ['a thousand short headers', (server) => receive(server, 'X: 1\r\n'.repeat(1000))],
    ['a thousand notes', (server) => receive(server, 'X-PM-X: 1\r\n'.repeat(500))],
    [
      'fifty recipients',
      (server) =>
        receive(
          server,
          '',
          Array.from({ length: 50 }, (_, i) => `a${i}@x.org`),
        ),
    ],
    [
      'a hundred events',
      (server) => {
        const mail = receive(server)
        for (let count = 0; count < 100; count++) server.open(mail)
      },
    ],
  ])('is more with %s than its bytes', (_what, take) => {
    const server = createPostmarkServer({ keep: { bytes: 300_000 } })
    for (let count = 0; count < 20; count++) take(server)
    expect(server.mails.length).toBeGreaterThan(1)
    expect(server.mails.length).toBeLessThan(20)
  })

  it('is forgotten with it', () => {
    const server = createPostmarkServer({ keep: { bytes: 100_000 } })
    const old = receive(server, 'X: 1\r\n'.repeat(900))
    receive(server)
    receive(server, 'X: 1\r\n'.repeat(900))
    expect(server.mails).not.toContain(old)
    // Events of an email that is gone, or cleared away, count for nothing.
    server.clear()
    for (let count = 0; count < 10; count++) receive(server)
    expect(server.mails).toHaveLength(10)
  })
})

describe('an email that is being received', () => {
  it('counts among those that are kept, which go for it', () => {
    const server = createPostmarkServer({ keep: { bytes: 100_000 } })
    let removed = 0
    server.on('removed', () => removed++)
    for (let count = 0; count < 10; count++) receive(server)
    expect(server.reserve(95_000, 0)).toBe(true)
    expect(server.mails.length).toBeLessThan(10)
    expect(server.mails.length).toBeGreaterThan(0)
    expect(removed).toBe(1)
    server.release(95_000)
    for (let count = 0; count < 9; count++) receive(server)
    expect(server.mails.length).toBeGreaterThan(9)
  })

  it('may be of any size alone, and finds no room beside others beyond the cap', () => {
    const server = createPostmarkServer({ keep: { bytes: 100_000 } })
    expect(server.reserve(90_000, 0)).toBe(true)
    expect(server.reserve(90_000, 90_000)).toBe(true)
    expect(server.reserve(1, 0)).toBe(false)
    server.release(180_000)
    expect([server.reserve(60_000, 0), server.reserve(30_000, 0), server.reserve(30_000, 30_000)]).toEqual([
      true,
      true,
      false,
    ])
  })
})
