//! Common random numbers: arrival `k` of a tenant and its service demand are functions of (seed, tenant, replica, k) alone,
//! so the native run replays exactly what the simulator draws.
