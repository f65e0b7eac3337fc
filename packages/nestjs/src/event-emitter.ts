import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common'
import { ModuleRef } from '@nestjs/core'
import { EventEmitter2 } from '@nestjs/event-emitter'
import type { Subscription } from 'rxjs'
import { PostmarkEvents } from './postmark-events.service.js'

/**
 * Emits the events of `PostmarkWebhooksModule` through @nestjs/event-emitter, each named `postmark.` and its kind. Add it
 * to the providers of a module.
 * @example @OnEvent('postmark.rejected') report(event: RejectedEvent) { … }
 */
@Injectable()
export class PostmarkEventEmitter implements OnModuleInit, OnModuleDestroy {
  private subscription: Subscription | undefined

  constructor(
    @Inject(EventEmitter2) private readonly emitter: EventEmitter2,
    @Inject(ModuleRef) private readonly modules: ModuleRef,
  ) {}

  /** Called by Nest. */
  onModuleInit(): void {
    const { events$ } = this.modules.get(PostmarkEvents, { strict: false })
    this.subscription = events$.subscribe((event) => {
      this.emitter.emit(`postmark.${event.kind}`, event)
    })
  }

  /** Called by Nest. */
  onModuleDestroy(): void {
    this.subscription?.unsubscribe()
  }
}
