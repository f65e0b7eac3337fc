import type { WebhookEvent } from '@postmark-smtp/webhooks'
import { Observable, type Observer, type Operator, Subject, Subscriber, type Subscription } from 'rxjs'

/** Called with what an observer throws. */
type OnError = (error: unknown, event: undefined) => unknown

/**
 * The events of Postmark's webhooks, for any provider that injects this class. Observers get an event after its handlers
 * have succeeded. They do not affect the reply to Postmark; the handlers in `on` do.
 * @example constructor(events: PostmarkEvents) { events.events$.pipe(filter(({ kind }) => kind === 'bounced')).subscribe(…) }
 */
export class PostmarkEvents {
  private readonly subject = new Subject<WebhookEvent>()
  /** Never completes. If an observer throws or rejects, the error goes to `onError`, and the application continues. */
  readonly events$: Observable<WebhookEvent>

  constructor(onError: OnError) {
    this.events$ = new GuardedObservable((subscriber) => this.subject.subscribe(subscriber), onError)
  }

  /** Emits an event to all current observers. */
  emit(event: WebhookEvent): void {
    this.subject.next(event)
  }
}

/** RxJS rethrows an observer's error from a timer, which ends the process. */
class GuardedObservable<T> extends Observable<T> {
  constructor(
    connect: (subscriber: Subscriber<T>) => Subscription,
    private readonly onError: OnError,
  ) {
    super(connect)
  }

  override subscribe(observer?: Partial<Observer<T>> | ((value: T) => void) | null): Subscription {
    // An RxJS operator is subscribing, and its own output is guarded in turn.
    if (observer instanceof Subscriber) return super.subscribe(observer)
    const given = typeof observer === 'function' ? { next: observer } : (observer ?? {})
    const fail = (error: unknown) => this.onError(error, undefined)
    return super.subscribe({
      next: guarded((value) => given.next?.(value), fail),
      error: guarded((error) => (given.error ? given.error(error) : fail(error)), fail),
      complete: guarded(() => given.complete?.(), fail),
    })
  }

  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    const lifted = super.lift(operator)
    return new GuardedObservable((subscriber) => lifted.subscribe(subscriber), this.onError)
  }
}

function guarded<A extends unknown[]>(
  call: (...args: A) => unknown,
  fail: (error: unknown) => void,
): (...args: A) => void {
  return (...args) => {
    try {
      const result = call(...args)
      if (result instanceof Promise) result.catch(fail)
    } catch (error) {
      fail(error)
    }
  }
}
