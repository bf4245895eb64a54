/** Boot: the look before anything is drawn, then the root element, which asks who is there. */
import "./style/type.css"
import "./style/tokens.css"
import "./style/base.css"
import "./look.ts"
import "./frame/flowlens-console.ts"
