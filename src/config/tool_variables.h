#pragma once

// The variables of the command line tool. They may be set where services are started, so services
// leave them alone; no key of a service may have one of these names.
namespace martlet::config {

inline constexpr const char* kToolServer = "MARTLET_SERVER";
inline constexpr const char* kToolHome = "MARTLET_HOME";
inline constexpr const char* kToolApi = "MARTLET_API";
inline constexpr const char* kToolApiTokenFile = "MARTLET_API_TOKEN_FILE";
inline constexpr const char* kToolTlsCa = "MARTLET_TLS_CA";
inline constexpr const char* kToolTlsName = "MARTLET_TLS_NAME";
inline constexpr const char* kToolPassword = "MARTLET_PASSWORD";

inline constexpr const char* kToolVariables[] = {
    kToolServer, kToolHome, kToolApi, kToolApiTokenFile, kToolTlsCa, kToolTlsName, kToolPassword};

}  // namespace martlet::config
