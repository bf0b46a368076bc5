package app.rez.monitor.instrument

import android.app.Activity
import android.app.Application
import android.os.Build
import android.os.Bundle
import app.rez.monitor.android.guarded
import java.util.Collections
import java.util.WeakHashMap

/** The life cycle of the activities, as far as sources need it. Called on the main thread. */
internal abstract class Activities(private val application: Application) : AutoCloseable {
    /** The activity begins to exist. */
    protected open fun created(activity: Activity) {}

    /** It becomes visible. */
    protected open fun started(activity: Activity) {}

    /** It is in front. */
    protected open fun resumed(activity: Activity) {}

    protected open fun paused(activity: Activity) {}

    /** It is not visible any more. */
    protected open fun stopped(activity: Activity) {}

    protected open fun destroyed(activity: Activity) {}

    private val callbacks = object : Application.ActivityLifecycleCallbacks {
        override fun onActivityPreCreated(activity: Activity, savedInstanceState: Bundle?) = call { created(activity) }

        override fun onActivityCreated(activity: Activity, savedInstanceState: Bundle?) {
            // The one before `onCreate` is there since API 29.
            if (Build.VERSION.SDK_INT < 29) call { created(activity) }
        }

        override fun onActivityStarted(activity: Activity) = call { started(activity) }

        override fun onActivityResumed(activity: Activity) = call { resumed(activity) }

        override fun onActivityPaused(activity: Activity) = call { paused(activity) }

        override fun onActivityStopped(activity: Activity) = call { stopped(activity) }

        override fun onActivitySaveInstanceState(activity: Activity, outState: Bundle) = Unit

        override fun onActivityDestroyed(activity: Activity) = call { destroyed(activity) }

        private fun call(work: () -> Unit) = guarded("the life cycle of an activity was not observed", work)
    }

    /** Called by the constructor of each source, when its own state is there. */
    protected fun observe() = application.registerActivityLifecycleCallbacks(callbacks)

    override fun close() = application.unregisterActivityLifecycleCallbacks(callbacks)
}

/** Activities in one state. A counter would be wrong after a start in the middle of the app, whose activities began before. */
internal fun activitySet(): MutableSet<Activity> = Collections.newSetFromMap(WeakHashMap())

/** The name of a screen: the class of the activity without its package. */
internal fun screenName(activity: Activity): String = activity.javaClass.simpleName.ifEmpty { activity.javaClass.name }
