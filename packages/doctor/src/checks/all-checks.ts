import type { Check } from '../check.js'
import { clock } from './clock.js'
import { dns } from './dns.js'
import { ehlo } from './ehlo.js'
import { environment } from './environment.js'
import { login } from './login.js'
import { ports } from './ports.js'
import { refusals } from './refusals.js'
import { send } from './send.js'
import { sender } from './sender.js'
import { senderDns } from './sender-dns.js'
import { senderRecords } from './sender-records.js'
import { server } from './server.js'
import { streamHost } from './stream-host.js'
import { streams } from './streams.js'
import { suppressions } from './suppressions.js'
import { tls } from './tls.js'
import { url } from './url.js'
import { webhookPaths } from './webhook-paths.js'
import { webhooks } from './webhooks.js'

/** Every check, in the order in which they run. */
export const CHECKS: readonly Check[] = [
  ...[url, dns, ports, tls, ehlo, login],
  ...[server, streams, streamHost],
  ...[sender, senderRecords, senderDns],
  ...[webhooks, webhookPaths, suppressions, refusals],
  ...[environment, clock, send],
]

/** What must be right before `--probe` sends anything. */
export const PREMISES: readonly Check[] = [url, dns, ports, tls, ehlo, login, server, streams]
