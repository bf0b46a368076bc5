#import "RezMonitor.h"

// A target of its own in SwiftPM; in the same target with CocoaPods.
#if __has_include(<RezMonitorNative.h>)
#import <RezMonitorNative.h>
#else
#import "RezMonitorNative.h"
#endif

// The answers without the Swift half, and after an exception: one that leaves a method ends the app.
static NSString *const kMissing = @"the native half of REZ Monitor has failed or is not linked: rebuild the app";
static NSString *const kMissingError = @"{\"error\":\"the native half of REZ Monitor has failed or is not linked: rebuild the app\"}";

#define REZ_TEXT(call, otherwise) @try { return (call) ?: (otherwise); } @catch (NSException *reason) { return (otherwise); }
#define REZ_FLAG(call) @try { return @(call); } @catch (NSException *reason) { return @NO; }
#define REZ_LATER(call, otherwise) \
  void (^answer)(NSString *) = ^(NSString *text) { resolve(text); }; \
  @try { if (_native) { (call); } else { resolve(otherwise); } } @catch (NSException *reason) { resolve(otherwise); }

@implementation RezMonitor {
  id<RezMonitorNative> _native;
}

+ (NSString *)moduleName { return @"RezMonitor"; }

+ (BOOL)requiresMainQueueSetup { return NO; }

- (instancetype)init {
  if (self = [super init]) { _native = [RezMonitorFactory make]; }
  return self;
}

- (std::shared_ptr<facebook::react::TurboModule>)getTurboModule:(const facebook::react::ObjCTurboModule::InitParams &)params {
  return std::make_shared<facebook::react::NativeRezMonitorSpecJSI>(params);
}

- (NSString *)open:(NSString *)settings facts:(NSString *)facts { REZ_TEXT([_native open:settings facts:facts], kMissingError) }
- (NSNumber *)recordBatch:(NSString *)json { REZ_FLAG([_native recordBatch:json]) }
- (NSNumber *)recordFatal:(NSString *)json { REZ_FLAG([_native recordFatal:json]) }
- (NSNumber *)setConsent:(NSString *)purpose consent:(NSString *)consent { REZ_FLAG([_native setConsent:purpose consent:consent]) }
- (NSNumber *)forgetUser { REZ_FLAG([_native forgetUser]) }
- (NSNumber *)setForeground:(BOOL)foreground { REZ_FLAG([_native setForeground:foreground]) }
- (NSNumber *)newSession { REZ_FLAG([_native startSession]) }
- (NSString *)setFacts:(NSString *)json { REZ_TEXT([_native setFacts:json], kMissing) }
- (NSString *)setConditions:(NSString *)json { REZ_TEXT([_native setConditions:json], kMissing) }
- (NSString *)setRelease:(NSString *)release dist:(NSString *)dist { REZ_TEXT([_native setRelease:release dist:dist], kMissing) }
- (NSString *)addDestinations:(NSString *)settings from:(NSString *)from { REZ_TEXT([_native addDestinations:settings from:from], kMissing) }
- (NSString *)removeDestination:(NSString *)name { REZ_TEXT([_native removeDestination:name], kMissing) }
- (NSString *)pauseDestination:(NSString *)name { REZ_TEXT([_native pauseDestination:name], kMissing) }
- (NSString *)resumeDestination:(NSString *)name { REZ_TEXT([_native resumeDestination:name], kMissing) }
- (NSString *)traceHeaders:(NSString *)trace url:(NSString *)url { REZ_TEXT([_native traceHeaders:trace url:url], @"{}") }
- (NSString *)status { REZ_TEXT([_native status], @"") }
- (NSString *)metrics { REZ_TEXT([_native metrics], @"[]") }
- (NSNumber *)clearMetrics { REZ_FLAG([_native clearMetrics]) }
- (NSString *)takeLog { REZ_TEXT([_native takeLog], @"[]") }
- (void)persist:(double)waitMs resolve:(RCTPromiseResolveBlock)resolve reject:(RCTPromiseRejectBlock)reject { REZ_LATER([_native persist:waitMs answer:answer], kMissing) }
- (void)flush:(double)waitMs resolve:(RCTPromiseResolveBlock)resolve reject:(RCTPromiseRejectBlock)reject { REZ_LATER([_native flush:waitMs answer:answer], kMissingError) }
- (void)why:(NSString *)id waitMs:(double)waitMs resolve:(RCTPromiseResolveBlock)resolve reject:(RCTPromiseRejectBlock)reject { REZ_LATER([_native why:id waitMs:waitMs answer:answer], kMissingError) }
- (void)inspect:(NSString *)request waitMs:(double)waitMs resolve:(RCTPromiseResolveBlock)resolve reject:(RCTPromiseRejectBlock)reject { REZ_LATER([_native inspect:request waitMs:waitMs answer:answer], kMissingError) }
- (void)lastRun:(double)waitMs resolve:(RCTPromiseResolveBlock)resolve reject:(RCTPromiseRejectBlock)reject { REZ_LATER([_native lastRun:waitMs answer:answer], kMissingError) }
- (NSString *)testCrash:(NSString *)kind { REZ_TEXT([_native testCrash:kind], kMissing) }
- (void)close:(double)waitMs resolve:(RCTPromiseResolveBlock)resolve reject:(RCTPromiseRejectBlock)reject { REZ_LATER([_native close:waitMs answer:answer], kMissing) }

@end
