import type { WebhookEvent } from '@postmark-smtp/webhooks'
import { Observable, type Observer, type Operator, Subject, Subscriber, type Subscription } from 'rxjs'

/** Told what an observer throws. */
type OnError = (error: unknown, event: undefined) => unknown

/**
 * The events of Postmark's webhooks, for any provider that wants them. Observers get an event when its handlers have
 * taken it, and have no say in the reply; a handler in `on` has.
 * @example constructor(events: PostmarkEvents) { events.events$.pipe(filter(({ kind }) => kind === 'bounced')).subscribe(…) }
 */
export class PostmarkEvents {
  private readonly subject = new Subject<WebhookEvent>()
  /** Never ends. What an observer throws, or rejects with, goes to `onError`, and the application goes on. */
  readonly events$: Observable<WebhookEvent>

  constructor(onError: OnError) {
    this.events$ = new GuardedObservable((subscriber) => this.subject.subscribe(subscriber), onError)
  }

  /** Gives an event to the observers that there are. */
  emit(event: WebhookEvent): void {
    this.subject.next(event)
  }
}

/** RxJS itself throws what an observer throws out of a timer, which ends the process. */
class GuardedObservable<T> extends Observable<T> {
  constructor(
    connect: (subscriber: Subscriber<T>) => Subscription,
    private readonly onError: OnError,
  ) {
    super(connect)
  }

  override subscribe(observer?: Partial<Observer<T>> | ((value: T) => void) | null): Subscription {
    // An operator of RxJS subscribes; what comes out of it is guarded in its turn.
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
