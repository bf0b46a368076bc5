@protocol NativeRezMonitorSpec <RCTBridgeModule, RCTTurboModule>

- (NSString *)open:(NSString *)settings
             facts:(NSString *)facts;
- (NSNumber *)recordBatch:(NSString *)json;
- (NSNumber *)recordFatal:(NSString *)json;
- (NSNumber *)setConsent:(NSString *)purpose
                 consent:(NSString *)consent;
- (NSNumber *)forgetUser;
- (NSNumber *)setForeground:(BOOL)foreground;
- (NSNumber *)newSession;
- (NSString *)setFacts:(NSString *)json;
- (NSString *)setConditions:(NSString *)json;
- (NSString *)setRelease:(NSString *)release
                    dist:(NSString *)dist;
- (NSString *)addDestinations:(NSString *)settings
                         from:(NSString *)from;
- (NSString *)removeDestination:(NSString *)name;
- (NSString *)pauseDestination:(NSString *)name;
- (NSString *)resumeDestination:(NSString *)name;
- (NSString *)traceHeaders:(NSString *)trace
                       url:(NSString *)url;
- (NSString *)status;
- (NSString *)metrics;
- (NSNumber *)clearMetrics;
- (NSString *)takeLog;
- (void)persist:(double)waitMs
        resolve:(RCTPromiseResolveBlock)resolve
         reject:(RCTPromiseRejectBlock)reject;
- (void)flush:(double)waitMs
      resolve:(RCTPromiseResolveBlock)resolve
       reject:(RCTPromiseRejectBlock)reject;
- (void)why:(NSString *)id
     waitMs:(double)waitMs
    resolve:(RCTPromiseResolveBlock)resolve
     reject:(RCTPromiseRejectBlock)reject;
- (void)inspect:(NSString *)request
         waitMs:(double)waitMs
        resolve:(RCTPromiseResolveBlock)resolve
         reject:(RCTPromiseRejectBlock)reject;
- (void)lastRun:(double)waitMs
        resolve:(RCTPromiseResolveBlock)resolve
         reject:(RCTPromiseRejectBlock)reject;
- (NSString *)testCrash:(NSString *)kind;
- (void)close:(double)waitMs
      resolve:(RCTPromiseResolveBlock)resolve
       reject:(RCTPromiseRejectBlock)reject;

@end
