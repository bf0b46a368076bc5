package app.rez.monitor.android

import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.app.job.JobService
import android.content.ComponentName
import android.content.Context
import app.rez.monitor.RezMonitor
import app.rez.monitor.internal.Log
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/**
 * Delivers what is left after the app is gone. The system starts it with a network, at the earliest a minute after the app left the
 * foreground, and again with a growing delay while something is left. The engine must be open by then: the provider or
 * `Application.onCreate` has opened it.
 */
public class UploadService : JobService() {
    @Volatile
    private var isStopped = false

    override fun onStartJob(parameters: JobParameters): Boolean = guarded("the upload in the background was not made", false) {
        if (!RezMonitor.isInitialized) {
            Log.once("the system has started an upload, but no engine is open: call init in Application.onCreate")
            return@guarded false
        }
        isStopped = false
        thread(isDaemon = true, name = "rez-monitor-upload") {
            val isComplete = RezMonitor.flushBlocking(TIMEOUT).isComplete
            guarded("the end of the upload was not taken") { if (!isStopped) jobFinished(parameters, !isComplete) }
        }
        true
    }

    /** The time is over or the network is gone: later again. What was sent is settled. */
    override fun onStopJob(parameters: JobParameters): Boolean {
        isStopped = true
        return true
    }

    internal companion object {
        /** Of the one job; an app that has such a job itself sees it replaced. */
        const val JOB_ID = 0x72657a01

        /** The system gives a job ten minutes. */
        private val TIMEOUT = 30.seconds
        private val DELAY = 1.minutes

        fun schedule(context: Context) {
            val job = JobInfo.Builder(JOB_ID, ComponentName(context, UploadService::class.java))
                .setRequiredNetworkType(JobInfo.NETWORK_TYPE_ANY)
                .setMinimumLatency(DELAY.inWholeMilliseconds)
                .setBackoffCriteria(DELAY.inWholeMilliseconds, JobInfo.BACKOFF_POLICY_EXPONENTIAL)
                .build()
            scheduler(context)?.schedule(job)
        }

        fun cancel(context: Context) {
            scheduler(context)?.cancel(JOB_ID)
        }

        /** In the main process only: the job runs there, and flushes the queue of that process alone. */
        private fun scheduler(context: Context): JobScheduler? =
            if (processName(context) != (context.applicationInfo.processName ?: context.packageName)) null
            else context.getSystemService(Context.JOB_SCHEDULER_SERVICE) as? JobScheduler
    }
}
