#import <RezMonitorSpec/RezMonitorSpec.h>

/// The module `RezMonitor` of JavaScript. It passes every call to `RezMonitorNative`.
@interface RezMonitor : NSObject <NativeRezMonitorSpec>
@end
