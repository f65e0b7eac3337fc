import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common'
import type { SendEvent } from '@postmark-smtp/core'

const END = 'tracing:postmark-smtp:send:asyncEnd'

/** Logs one line per email while the application runs. No event contains an address. */
@Injectable()
export class MailLog implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Mail')

  private readonly log = (event: unknown): void => {
    const { id, correlationId, stream, tag, outcome, attempt, durationMs, code, responseCode } =
      event as SendEvent
    const isSent = outcome === 'sent' || outcome === 'duplicate'
    const line = { mail: id, correlationId, stream, tag, outcome, attempts: attempt, code, responseCode }
    this.logger[isSent ? 'log' : 'error']({ ...line, ms: Math.round(durationMs ?? 0) })
  }

  onModuleInit(): void {
    subscribe(END, this.log)
  }

  onModuleDestroy(): void {
    unsubscribe(END, this.log)
  }
}
