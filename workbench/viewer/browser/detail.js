export class DetailViewer { constructor(){} update(){} destroy(){} }
