package app.rez.monitor.instrument

import android.app.Activity
import android.os.Handler
import android.os.Looper
import android.os.SystemClock
import android.view.View
import android.view.ViewTreeObserver
import app.rez.monitor.android.guarded

/**
 * Calls [shown] on the main thread with the time (`elapsedRealtime`) after the next frame of the activity was drawn. For a resumed
 * activity: asking for the decor view earlier would fix the features of its window.
 */
internal fun onNextFrame(activity: Activity, shown: (Long) -> Unit) {
    val view = activity.window?.decorView ?: return
    if (view.isAttachedToWindow) return onNextDraw(view, shown)
    // API 24 and 25 forget the draw listeners that a view has before it gets its window.
    view.addOnAttachStateChangeListener(object : View.OnAttachStateChangeListener {
        override fun onViewAttachedToWindow(attached: View) {
            guarded("the first frame was not observed") {
                view.removeOnAttachStateChangeListener(this)
                onNextDraw(view, shown)
            }
        }

        override fun onViewDetachedFromWindow(detached: View) = Unit
    })
}

private fun onNextDraw(view: View, shown: (Long) -> Unit) {
    val main = Handler(Looper.getMainLooper())
    view.viewTreeObserver.addOnDrawListener(object : ViewTreeObserver.OnDrawListener {
        private var isDrawn = false

        override fun onDraw() {
            if (isDrawn) return
            isDrawn = true
            // In front of what waits: the draw is over then. A listener must not remove itself while it is called.
            main.postAtFrontOfQueue {
                guarded("the first frame was not observed") {
                    shown(SystemClock.elapsedRealtime())
                    view.viewTreeObserver.removeOnDrawListener(this)
                }
            }
        }
    })
}
