"""From whole-slide images of lymph nodes to the pN stage of a patient."""
