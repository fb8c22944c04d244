"""The central system of OCPP 1.6-J: charge points that connect straight. `point` loads the protocol's library, and comes late."""
