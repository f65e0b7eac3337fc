import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type Answer, decode, encode } from 'dns-packet'

/** What a name server knows: texts, or the addresses of a name. */
export type Zone = Readonly<
  Record<
    string,
    {
      readonly A?: string[]
      readonly AAAA?: string[]
      readonly TXT?: string[]
      readonly CNAME?: string[]
      /** Its name servers are broken. */
      readonly fails?: boolean
    }
  >
>

/** A name server on the loopback interface, and a resolver that asks it. */
export async function startDns(
  zone: Zone,
  { isSilent = false }: { readonly isSilent?: boolean } = {},
): Promise<{ readonly resolver: Resolver; close(): Promise<void> }> {
  const socket = createSocket('udp4')
  socket.on('message', (message, { port, address }) => {
    if (isSilent) return
    const query = decode(message)
    const [{ name, type } = { name: '', type: 'A' as const }] = query.questions ?? []
    const found = zone[name.toLowerCase()]
    const records = found?.[type as 'A'] ?? []
    const answers = records.map((data: string) => ({ name, type, ttl: 1, data }) as Answer)
    // 2: a failure, 3: there is no such name; 384: recursion desired and available.
    const flags = 384 | (found?.fails ? 2 : found ? 0 : 3)
    const reply = encode({
      id: query.id ?? 0,
      type: 'response',
      flags,
      questions: query.questions ?? [],
      answers,
    })
    socket.send(reply, port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  // Long where it answers: a busy machine is no broken name server.
  const resolver = new Resolver(isSilent ? { timeout: 200, tries: 1 } : { timeout: 10_000, tries: 2 })
  resolver.setServers([`127.0.0.1:${(socket.address() as AddressInfo).port}`])
  const close = async () => {
    resolver.cancel()
    await new Promise<void>((resolve) => void socket.close(resolve))
  }
  return { resolver, close }
}
