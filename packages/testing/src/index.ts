export {
  type ContractAdapter,
  type ContractApp,
  type ContractCore,
  type ContractFields,
  type ContractRequest,
  type RunningApp,
  runAdapterContract,
} from './adapter-contract.js'
export { createBarrier } from './barrier.js'
export {
  type Certificate,
  type CertificateOptions,
  loopbackCertificate,
  makeCertificate,
} from './certificate.js'
export { CHROMIUM, chromiumMissing } from './chromium.js'
export { collectGarbage, memoryInUse } from './memory.js'
export { type Postgres, postgresMissing, startPostgres } from './postgres.js'
export { createRandom } from './random.js'
export { type AiosmtpdOptions, aiosmtpdMissing, startAiosmtpd } from './real-servers/aiosmtpd.js'
export { type CountedSmtpServerOptions, startCountedSmtpServer } from './real-servers/counted-smtp-server.js'
export { type EximOptions, eximMissing, startExim } from './real-servers/exim.js'
export { type HarakaOptions, harakaMissing, startHaraka } from './real-servers/haraka.js'
export { type Postfix, type PostfixOptions, postfixMissing, startPostfix } from './real-servers/postfix.js'
export {
  type LoggedMail,
  REAL_SERVER_BYTES,
  REFUSALS,
  type RealServer,
  type RealUser,
} from './real-servers/real-server.js'
export type { ReceivedMail } from './received-mail.js'
export { type Redis, type RedisOptions, redisMissing, startRedis } from './redis.js'
export { MemorySocket, type SocketPeer } from './scripted-server/memory-socket.js'
export {
  createScriptedServer,
  type ScriptedServer,
  type ScriptedServerOptions,
} from './scripted-server/scripted-server.js'
export type { ScriptedSession } from './scripted-server/scripted-session.js'
export type { ServerNature, TakenMail } from './scripted-server/session-host.js'
export {
  STEPS,
  type Step,
  type StepContext,
  type StepFault,
  type StepScript,
} from './scripted-server/step-fault.js'
export { installVirtualClock, type PendingTimer, type VirtualClock } from './scripted-server/virtual-clock.js'
export { type ContractStore, runSendOnceContract, type SendOnceContract } from './send-once-contract.js'
export { sendWelcome } from './send-welcome.js'
export { type SenderProcess, type SenderResult, startSender } from './sender-process.js'
export { size } from './size.js'
export { type SmtpServer, startSmtpServer } from './smtp-server.js'
export type { SmtpLogin, SmtpRefusal, SmtpServerOptions } from './smtp-session.js'
export { startTcpProxy, type TcpProxy, type TcpProxyOptions } from './tcp-proxy.js'
