package app.rez.monitor.robolectric

import android.app.Activity
import android.os.Bundle
import android.widget.TextView

/** The screen of the tests. */
class MainActivity : Activity() {
    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(TextView(this).apply { text = "Home" })
    }
}
