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
export { CHROMIUM, chromiumMissing } from './chromium.js'
export { type Postfix, type PostfixOptions, postfixMissing, startPostfix } from './postfix.js'
export type { ReceivedMail } from './received-mail.js'
export { type Redis, redisMissing, startRedis } from './redis.js'
export { size } from './size.js'
export { type SmtpServer, startSmtpServer } from './smtp-server.js'
export type { SmtpLogin, SmtpRefusal, SmtpServerOptions } from './smtp-session.js'
export { startTcpProxy, type TcpProxy, type TcpProxyOptions } from './tcp-proxy.js'
