import { claim } from '../context/context.js'
import { replacePostmarkLines } from '../message/header-lines.js'
import type { CompilePlugin, MimeNode, SendingMail, Transport } from '../message/nodemailer-types.js'
import type { MailRecord } from './mail-record.js'
import { recordOf } from './mail-record.js'

/**
 * Makes a transport get each compiled mail sealed. This is done when the mail is handed over, since plugins may write
 * headers until then; a plugin of the `stream` step would come before those that are registered later.
 * @param late the compile step for mails that come without one; without it such a mail passes as it is
 */
export function sealTransport(transport: unknown, late?: CompilePlugin): void {
  if (!isTransport(transport) || !claim(transport)) return
  const send = transport.send.bind(transport)
  const handOver: Transport['send'] = (mail, done) => {
    const record = recordOf(mail)
    if (record?.result) {
      try {
        sealMail(mail, record, record.result.lines)
      } catch (error) {
        done(error as Error)
        return
      }
      record.handedOver = true
    }
    send(mail, done)
  }
  transport.send = (mail, done) => {
    if (recordOf(mail)?.result || !late) handOver(mail, done)
    else late(mail, (error) => (error ? done(error) : handOver(mail, done)))
  }
}

function isTransport(value: unknown): value is Transport {
  return typeof (value as Partial<Transport> | null | undefined)?.send === 'function'
}

/** Makes the header block final: with our lines as they are, and built once, however often the mail is tried. */
function sealMail(mail: SendingMail, record: MailRecord, lines: readonly string[]): void {
  if (record.sealed) return
  record.sealed = true
  const root = mail.message as Partial<MimeNode> | null
  if (typeof root?.buildHeaders !== 'function' || mail.data.raw) return
  sealHead(root as MimeNode, (block) => replacePostmarkLines(block, lines))
}

function sealHead(node: MimeNode, rewrite: (block: string) => string): void {
  const build = node.buildHeaders
  let { keepBcc } = node
  let block = rewrite(build.call(node))
  node.buildHeaders = () => {
    // Set by transports of Nodemailer that read the recipients from the message.
    if (node.keepBcc !== keepBcc) {
      keepBcc = node.keepBcc
      block = rewrite(build.call(node))
    }
    return block
  }
}
