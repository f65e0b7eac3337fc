import type { MemorySocket, VirtualClock } from '@postmark-smtp/testing'

/** What was said on one connection, as far as the outcome of its emails hangs on it. */
export class SpokenLine {
  /** What the client handed to its socket, whether it left or not. */
  written = ''
  /** What the client heard. */
  heard = ''

  /** Emails that the client has handed to its socket to the last byte, and whether their replies were heard. */
  get mails(): ReadonlyMap<string, 'answered' | 'in doubt'> {
    const replies = this.heard.match(/^\d{3}(?: .*)?\r\n/gm)?.length ?? 0
    const mails = new Map<string, 'answered' | 'in doubt'>()
    // The greeting is the first reply.
    let expected = 1
    let rest = this.written
    let mail = ''
    for (;;) {
      const end = rest.indexOf('\r\n')
      if (end < 0) return mails
      const line = rest.slice(0, end)
      rest = rest.slice(end + 2)
      expected++
      mail = /^MAIL FROM:<(m\d+)@/.exec(line)?.[1] ?? mail
      const [, bytes, last] = /^BDAT (\d+)( LAST)?$/.exec(line) ?? []
      const body = line === 'DATA' ? rest.indexOf('\r\n.\r\n') + 5 : Number(bytes ?? 0)
      if (line === 'DATA') {
        if (body < 5) return mails
        expected++
      }
      if (rest.length < body) return mails
      rest = rest.slice(body)
      if (line === 'DATA' || last) mails.set(mail, replies >= expected ? 'answered' : 'in doubt')
    }
  }
}

/** Cuts a connection after so many bytes of the client's or of the server's; the other end hears of it after a while. */
export function cutAfter(
  socket: MemorySocket,
  clock: VirtualClock,
  {
    client = Number.POSITIVE_INFINITY,
    server = Number.POSITIVE_INFINITY,
  }: { client?: number; server?: number },
): SpokenLine {
  const line = new SpokenLine()
  const deliver = socket.deliver.bind(socket)
  const write = socket._write.bind(socket)
  let isCut = false
  const cut = () => {
    isCut = true
    // What the server has said by now still arrives.
    clock.schedule(3, () =>
      socket.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })),
    )
  }
  socket.deliver = (bytes) => {
    const part = bytes.subarray(0, Math.max(0, server - line.heard.length))
    line.heard += part.toString('latin1')
    if (part.length > 0) deliver(part)
    if (part.length < bytes.length && !isCut) cut()
  }
  socket._write = (chunk, encoding, done) => {
    const left = client - line.written.length
    line.written += chunk.toString('latin1')
    if (isCut || left <= 0) done()
    else write(chunk.subarray(0, left), encoding, done)
    if (left < chunk.length) socket.written.push(chunk.subarray(isCut ? 0 : Math.max(0, left)))
    if (left <= chunk.length && !isCut) cut()
  }
  socket._writev = (chunks, done) => socket._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), '', done)
  return line
}
