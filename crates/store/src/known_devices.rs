//! Browsers whose user has signed in with them: they have a lane of their own in the sign-in throttle, and
//! nothing else. A row is worth something only together with the sealed cookie that names it.

use doorward_model::id::{DeviceId, UserId};
use doorward_model::time::Timestamp;

use crate::{StoreError, Tx};

crate::statements! {
    INSERT = "INSERT INTO known_devices (id, user_id, created_at, last_used_at) VALUES ($1, $2, $3, $3)";
    FIND = "SELECT last_used_at FROM known_devices WHERE id = $1 AND user_id = $2";
    UPDATE_LAST_USED = "UPDATE known_devices SET last_used_at = $3 WHERE id = $1 AND user_id = $2 AND last_used_at < $3";
    DELETE_ONE = "DELETE FROM known_devices WHERE id = $1 AND user_id = $2";
    DELETE_OF_USER = "DELETE FROM known_devices WHERE user_id = $1";
    DELETE_SURPLUS = "DELETE FROM known_devices WHERE user_id = $1 AND id NOT IN (
        SELECT id FROM known_devices WHERE user_id = $1 ORDER BY last_used_at DESC, id DESC LIMIT $2)";
    DELETE_UNUSED = "DELETE FROM known_devices
        WHERE id IN (SELECT id FROM known_devices WHERE last_used_at < $1 ORDER BY last_used_at LIMIT $2)";
}

/// Remembers a new device of a user, and forgets the longest unused ones beyond `most`.
pub fn insert(tx: &mut Tx<'_>, device: DeviceId, user: UserId, now: Timestamp, most: i64) -> Result<(), StoreError> {
    let (device, user) = (device.to_string(), user.to_string());
    tx.execute_expecting(&INSERT, &[(&device).into(), (&user).into(), now.into()], 1)?;
    // Usually there is no surplus.
    tx.execute(&DELETE_SURPLUS, &[(&user).into(), most.into()])?;
    Ok(())
}

/// When this user last signed in with this device; none when the device is not theirs or is forgotten.
pub fn find_last_used(tx: &mut Tx<'_>, device: DeviceId, user: UserId) -> Result<Option<Timestamp>, StoreError> {
    tx.query_optional(&FIND, &[(&device.to_string()).into(), (&user.to_string()).into()], |row| row.get(0))
}

/// Notes that the user signed in with the device. False when the device is forgotten or was used later already.
pub fn update_last_used(tx: &mut Tx<'_>, device: DeviceId, user: UserId, now: Timestamp) -> Result<bool, StoreError> {
    let changed =
        tx.execute(&UPDATE_LAST_USED, &[(&device.to_string()).into(), (&user.to_string()).into(), now.into()])?;
    Ok(changed == 1)
}

/// Forgets one device of a user. True when there was one.
pub fn delete(tx: &mut Tx<'_>, device: DeviceId, user: UserId) -> Result<bool, StoreError> {
    Ok(tx.execute(&DELETE_ONE, &[(&device.to_string()).into(), (&user.to_string()).into()])? == 1)
}

/// Forgets all devices of a user, and says how many.
pub fn delete_of_user(tx: &mut Tx<'_>, user: UserId) -> Result<u64, StoreError> {
    tx.execute(&DELETE_OF_USER, &[(&user.to_string()).into()])
}

/// Forgets at most `limit` devices not used since `before`, and says how many.
pub fn delete_unused(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&DELETE_UNUSED, &[before.into(), limit.into()])
}
